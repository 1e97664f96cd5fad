"""Secrets from files: `PLANTROOM_TOKEN_FILE` names the file with what `PLANTROOM_TOKEN` would hold."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, DotEnvSettingsSource, PydanticBaseSettingsSource

from facility.errors import refuse


def named_in(source: PydanticBaseSettingsSource) -> dict[str, str]:
    """What a `.env` file sets, by name in capitals; nothing for another source."""
    values = source.env_vars if isinstance(source, DotEnvSettingsSource) else {}
    return {name.upper(): value for name, value in values.items() if value}


class SecretFiles(PydanticBaseSettingsSource):
    """A source of settings: for each secret, the content of the file that the environment names, without the line end.

    Raises InputError for a file that cannot be read or is empty; the message names the file and never what is in it.
    """

    def __init__(self, settings: type[BaseSettings], environment: Mapping[str, str]) -> None:
        super().__init__(settings)
        self._environment = environment

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The value of one field; None where no file is named."""
        name, path = self._named(field, field_name)
        if not path:
            return None, field_name, False
        try:
            text = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no text"
            raise refuse(name, f"{path} cannot be read: {reason}", "Name a file that this user may read.") from None
        if not text:
            raise refuse(name, f"{path} is empty", "Put the secret into it, and nothing else.")
        return text, field_name, False

    def paths(self) -> list[Path]:
        """Every file that is named for a secret, whether it is there or not."""
        named = [self._named(field, name)[1] for name, field in self.settings_cls.model_fields.items()]
        return [Path(path) for path in named if path]

    def _named(self, field: FieldInfo, field_name: str) -> tuple[str, str]:
        """The variable that may name a file for the field, and the file; empty where none is."""
        name = f"{self.config.get('env_prefix', '')}{field_name}_file".upper()
        is_secret = field.annotation in (SecretStr, SecretStr | None)
        return name, self._environment.get(name, "") if is_secret else ""

    def __call__(self) -> dict[str, Any]:
        """Every secret that comes from a file."""
        found = {}
        for field_name, field in self.settings_cls.model_fields.items():
            value, key, _ = self.get_field_value(field, field_name)
            if value is not None:
                found[key] = value
        return found
