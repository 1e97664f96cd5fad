"""The words of findings and orders as a Chinese reader sees them; the pages use the same ones."""

from collections.abc import Mapping
from types import MappingProxyType

SEVERITIES_ZH: Mapping[str, str] = MappingProxyType({"critical": "危急", "high": "高", "medium": "中", "low": "低"})
KINDS_ZH: Mapping[str, str] = MappingProxyType({"fault": "故障", "preventive": "预防性"})
STATUSES_ZH: Mapping[str, str] = MappingProxyType(
    {
        "open": "待接单", "acknowledged": "已接单", "arrived": "已到场", "completed": "已完工", "accepted": "已验收",
        "closed": "已归档", "cancelled": "已取消", "held": "已挂起",
    }
)  # fmt: skip
CRITICALITIES_ZH: Mapping[str, str] = MappingProxyType({"key": "关键", "normal": "一般", "low": "低"})
PARTS_ZH: Mapping[str, str] = MappingProxyType(
    {
        "class": "设备类别", "system": "系统", "severity": "严重度", "rule": "规则", "criticality": "关键度",
        "building": "楼宇", "space": "空间", "kind": "类型",
    }
)  # fmt: skip
"""The parts that a service level's match names."""
