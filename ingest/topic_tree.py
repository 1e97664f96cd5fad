"""Which entry a topic belongs to, among exact topics and MQTT filters with `+` and `#`."""

from typing import Generic, TypeVar

Item = TypeVar("Item")


class _Node(Generic[Item]):
    __slots__ = ("children", "item", "rest")

    def __init__(self) -> None:
        self.children: dict[str, _Node[Item]] = {}
        self.item: Item | None = None
        self.rest: Item | None = None


class TopicTree(Generic[Item]):
    """Filters and what belongs to them. Finding costs as much as the topic is deep, however many filters there are."""

    def __init__(self) -> None:
        self._root: _Node[Item] = _Node()

    def add(self, topic_filter: str, item: Item) -> None:
        """From here on topics that match lead to `item`; the same filter again replaces it."""
        node = self._root
        for level in topic_filter.split("/"):
            if level == "#":
                node.rest = item
                return
            node = node.children.setdefault(level, _Node())
        node.item = item

    def find(self, topic: str) -> Item | None:
        """What the most specific filter leads to: at each level its own name, then `+`, then `#`. None without any."""
        return self._find(self._root, topic.split("/"), 0)

    def _find(self, node: _Node[Item], levels: list[str], depth: int) -> Item | None:
        if depth == len(levels):
            return node.item if node.item is not None else node.rest
        for name in (levels[depth], "+"):
            child = node.children.get(name)
            if child is not None and (found := self._find(child, levels, depth + 1)) is not None:
                return found
        return node.rest
