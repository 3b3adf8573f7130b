"""One instrument as all its agents see it: hidden value, price steps, order sizes, funds."""

from __future__ import annotations

from typing import Final

from exchange.adapters.feeds.living.dice import Dice
from exchange.adapters.feeds.living.profiles import CLIP_DEFAULT, CLIPS, profile_of
from exchange.adapters.feeds.living.walk import Walk
from exchange.core.instrument import Instrument
from exchange.core.rules.risk import price_band
from exchange.core.state.book import Book
from exchange.core.state.root import State
from exchange.core.terms import BUY, OPEN
from exchange.core.units import LOTS_MAX, MINOR_MAX, PPM, Lots, Minor, Ticks

FINE: Final = 1 << 20  # parts of a tick the hidden value is kept in
LEARN: Final = 480  # pulses in which the value follows what the market pays: two minutes
RETURN: Final = 700_000  # pulses of the pull back to the reference price: two days
STOCK: Final = 3_000  # everyday orders an agent's funds are worth
PURSE_MAX: Final[Minor] = 8 * MINOR_MAX  # an account's funds in one asset, at most

# Multiples of a quarter of an everyday order: most orders are small, a few are large.
SIZES: Final = (1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 6, 8, 10, 14, 24)


class Market:
    """value: hidden value in ticks * FINE, 0 while the instrument has no price to start from.
    step: ticks between two levels.   clip: lots of an everyday order.   bottom, top: price band.
    stock: base and quote minor units an agent needs here.
    """

    __slots__ = (
        "book",
        "bottom",
        "clip",
        "instrument",
        "lots_max",
        "lots_min",
        "profile",
        "state",
        "step",
        "stock",
        "top",
        "value",
        "walk",
    )

    walk: Walk

    def __init__(self, state: State, book: Book) -> None:
        self.state = state
        self.book = book
        self.instrument: Instrument = book.instrument
        self.profile = profile_of(book.instrument)
        self.value = 0
        self.step: Ticks = 1
        self.clip: Lots = 1
        self.lots_min: Lots = 1
        self.lots_max: Lots = LOTS_MAX
        self.bottom: Ticks = 1
        self.top: Ticks = 1
        self.stock: tuple[Minor, Minor] = (0, 0)

    def is_open(self) -> bool:
        """Ready to trade; brings the price band up to date."""
        if self.book.status != OPEN or not self.value:
            return False
        self.bottom, self.top = price_band(self.book)
        return True

    def start(self) -> bool:
        """Find a price to start from and size the agents by it; without one the market sleeps."""
        instrument = self.instrument
        price = self.book.last or instrument.reference
        if not price:
            return False
        self.value = price * FINE
        # Rounded up from a fifth of a tick on: a ladder finer than the market moves is all commands.
        self.step = max(1, (price * self.profile.step_ppm + PPM * 4 // 5) // PPM)
        lot_value = price * instrument.unit
        quote = self.state.assets[instrument.quote]
        wanted = CLIPS.get(quote.symbol, CLIP_DEFAULT) * 10**quote.exponent // lot_value
        # A quarter more than the rule asks, since orders rest below the price too.
        least = -(-instrument.notional_min * 5 // (lot_value * 4))
        self.lots_min = max(1, instrument.quantity_min, least)
        most = instrument.quantity_max or LOTS_MAX
        if instrument.notional_max:
            most = min(most, instrument.notional_max * 4 // (lot_value * 5))
        # An asset with many decimals: its everyday order shrinks to what a few deposits can hold.
        most = min(most, PURSE_MAX // (STOCK * max(lot_value, instrument.lot_minor)))
        self.lots_max = max(most, self.lots_min)
        self.clip = min(max(wanted, 2 * self.lots_min), self.lots_max)
        self.stock = (STOCK * self.clip * instrument.lot_minor, STOCK * self.clip * lot_value)
        return True

    def pulse(self) -> None:
        """Move the hidden value on by one pulse of its walk.

        It also learns from the book, so whoever trades moves the price for good, and it is drawn
        to the reference over days, so that it never runs away.
        """
        book = self.book
        value = self.value
        value += value * self.walk.move // 1_000_000_000
        bids, asks = book.bids.keys, book.asks.keys
        if bids and asks:
            value += ((bids[-1] - asks[-1]) * FINE // 2 - value) // LEARN
        reference = self.instrument.reference
        if reference:
            value += (reference * FINE - value) // RETURN
        last = book.last or reference
        if self.instrument.band_ppm and last:
            # Half of the band: an agent must be able to ask for this price and a bit beyond.
            room = last * self.instrument.band_ppm * FINE // (2 * PPM)
            value = min(max(value, last * FINE - room), last * FINE + room)
        self.value = max(value, FINE)

    def size(self, dice: Dice, quarters: int) -> Lots:
        """About this many quarters of an everyday order, within the instrument's limits."""
        lots = self.clip * quarters * dice.between(60, 140) // 400
        if lots > 20 and dice.hits(35):  # people like round numbers
            power = 10 ** (len(str(lots)) - 1)
            lots -= lots % power
        return min(max(lots, self.lots_min), self.lots_max)

    def best(self, side: int) -> Ticks:
        """Of one side; 0 if there is none."""
        return self.book.best_bid() if side == BUY else self.book.best_ask()

    def clamp(self, price: Ticks) -> Ticks:
        return min(max(price, self.bottom), self.top)
