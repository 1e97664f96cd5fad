"""Whatever a client may send to each route of a description: never an error of ours, and a refusal in our words."""

from collections.abc import Mapping
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.result import Ok

_PLAIN = (405, 406, 415)
"""Refusals of the framework, before a route is asked."""


def fuzz(schema: Any, examples: int, headers: Mapping[str, str] | None = None) -> int:  # noqa: ANN401 - schemathesis has no base of its schemas
    """Send so many calls to each route; how many routes there are."""
    number = 0
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        number += 1

        @settings(
            max_examples=examples, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def call(case: Any) -> None:  # noqa: ANN401 - schemathesis has its own kinds of cases
            answer = case.call(headers=dict(headers or {}))
            assert answer.status_code < 500, (case.as_curl_command(), answer.text)
            case.validate_response(answer, checks=[schemathesis.checks.not_a_server_error])
            if answer.status_code >= 400 and answer.status_code not in _PLAIN:
                assert set(answer.json()["detail"]) == {"what", "where", "hint"}, (case.as_curl_command(), answer.text)

        call()
    return number
