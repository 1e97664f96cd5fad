"""What the site files say of buildings and assets, as tables: for those who read the database and not the program."""

from sqlalchemy import Column, Float, String
from sqlmodel import Field, SQLModel


class BuildingRow(SQLModel, table=True):
    """One building with its site. `latitude` (degrees north) and `longitude` (degrees east) both or none."""

    __tablename__ = "building"

    id: str = Field(sa_column=Column(String(64), primary_key=True))
    name: str
    site_id: str
    site_name: str
    zone: str
    latitude: float | None = Field(default=None, sa_column=Column(Float))
    longitude: float | None = Field(default=None, sa_column=Column(Float))


class AssetRow(SQLModel, table=True):
    """One asset: what it is and where. `space` is the name of its space, empty for none."""

    __tablename__ = "asset"

    id: str = Field(sa_column=Column(String(64), primary_key=True))
    name: str
    equipment_class: str
    system: str
    building_id: str = Field(sa_column=Column(String(64), nullable=False, index=True))
    space: str
    criticality: str
