"""What the rules stage refuses, beside the InputErrors of files."""

from facility.errors import PermanentError


class RulesError(PermanentError):
    """A snapshot, rule set or scenario that cannot be used, with the reason."""


class ExpressionError(PermanentError):
    """One thing wrong in an expression: `column` counts from 1 inside the expression, `hint` says what to do."""

    def __init__(self, what: str, hint: str = "", column: int = 1) -> None:
        super().__init__(f"{what} (at character {column})" + (f". {hint}" if hint else ""))
        self.what, self.hint, self.column = what, hint, column
