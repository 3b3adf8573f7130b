"""Colours: the themes as variables, and the palette the widgets draw with.

Widgets take every colour from a palette, so a theme is a table of hex values and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from rich.style import Style

if TYPE_CHECKING:
    from textual.theme import Theme


class Palette(NamedTuple):
    """Hex colours by what they mean.  Each field is the theme variable ``trade-<field>``."""

    gap: str  # between the panes
    panel: str
    panel_alt: str  # every other row of a long table
    raised: str  # a ticket or a dialog over the panes
    title: str
    title_focus: str
    text: str
    dim: str
    faint: str
    up: str
    down: str
    up_bar: str  # behind text: depth and volume of bids
    down_bar: str
    own: str  # the trader's own orders
    accent: str
    warn: str
    error: str
    cursor: str
    inverse: str  # text on up, down, own, accent and warn


DARK: Final = Palette(
    gap="#06080b",
    panel="#0e1217",
    panel_alt="#11161c",
    raised="#18202a",
    title="#1a212a",
    title_focus="#254b73",
    text="#d7dde4",
    dim="#8592a0",
    faint="#47525e",
    up="#2ebd85",
    down="#f6546a",
    up_bar="#123529",
    down_bar="#401b24",
    own="#f2b632",
    accent="#5aa9ff",
    warn="#f59f3a",
    error="#ff5d5d",
    cursor="#24374d",
    inverse="#07090c",
)
LIGHT: Final = Palette(
    gap="#cfd5dc",
    panel="#fbfcfd",
    panel_alt="#f2f4f7",
    raised="#ffffff",
    title="#e2e7ed",
    title_focus="#b9d5f5",
    text="#1c2530",
    dim="#566372",
    faint="#a3adb8",
    up="#0b7d56",
    down="#c62540",
    up_bar="#c9ecdd",
    down_bar="#fad4da",
    own="#8f5b00",
    accent="#0a5fc2",
    warn="#a85a00",
    error="#b3161f",
    cursor="#d3e3f6",
    inverse="#ffffff",
)
COLOR_BLIND: Final = DARK._replace(
    up="#5aa9ff",
    down="#ff9e2c",
    up_bar="#16324f",
    down_bar="#472d10",
    own="#f3e35c",
    accent="#b79cf5",
    warn="#f3e35c",
    error="#ff8fb8",
)
PALETTES: Final[dict[str, Palette]] = {"dark": DARK, "light": LIGHT, "color-blind": COLOR_BLIND}
THEME_PREFIX: Final = "tradecli-"


def variables(palette: Palette) -> dict[str, str]:
    """The palette as theme variables for the style sheet."""
    return {f"trade-{name.replace('_', '-')}": value for name, value in palette._asdict().items()}


def palette_of(theme_variables: Mapping[str, str]) -> Palette:
    """The palette of the theme in force; what a foreign theme lacks is taken from the dark one."""
    values = {
        name: theme_variables.get(key) for name, key in zip(Palette._fields, variables(DARK), strict=True)
    }
    return Palette(**{name: value or getattr(DARK, name) for name, value in values.items()})


def themes() -> list[Theme]:
    from textual.theme import Theme

    return [
        Theme(
            name=THEME_PREFIX + name,
            primary=palette.accent,
            secondary=palette.dim,
            accent=palette.accent,
            warning=palette.warn,
            error=palette.error,
            success=palette.up,
            foreground=palette.text,
            background=palette.gap,
            surface=palette.panel,
            panel=palette.title,
            dark=palette is not LIGHT,
            variables=variables(palette),
        )
        for name, palette in PALETTES.items()
    ]


@lru_cache(maxsize=4096)
def ink(color: str, background: str, *, bold: bool = False) -> Style:
    """Both colours, always: an unstyled cell shows black in a browser and stays lit behind a dialog."""
    return Style(color=color, bgcolor=background, bold=bold)
