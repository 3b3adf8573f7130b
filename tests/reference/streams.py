"""Random streams of commands: a small crowded exchange where everything happens often.

A stream is a list of (time step, actor, command), drawn from a seed.  Order ids are guesses near
the ones in use, so that cancels and changes hit live, finished and foreign orders alike.
"""

from __future__ import annotations

from random import Random

from exchange.core import commands as c
from exchange.core.messages import Command
from exchange.core.terms import (
    BUY,
    DAY_ORDER,
    FOK,
    GTC,
    GTD,
    HOUSE,
    IOC,
    LIMIT,
    MARKET,
    MARKET_TO_LIMIT,
    ROLE_ADMIN,
    ROLE_BROKER,
    ROLE_COMPLIANCE,
    SELL,
    STP_CANCEL_NEWEST,
)
from exchange.core.units import DAY, MICRO, SECOND

Step = tuple[int, int, Command]  # nanoseconds since the last one, user id, what is asked

START = 19_787 * DAY + 8 * 3600 * SECOND  # Tuesday, 5 March 2024, 08:00 UTC
HOUR = 3600 * SECOND
USERS = ("alice", "bob", "carol", "ada", "clerk")  # ids 1 to 5
ALICE, BOB, CAROL, ADA, CLERK = range(1, 6)
OWNERS = {3: ALICE, 4: ALICE, 5: BOB, 6: CAROL, 7: 0, 8: BOB}  # by account id
FEES = (((100, 500), (0, 300)), ((700, 300),), ((0, 0), (250_000, 1_000_000)))


def opening() -> list[Step]:
    """Assets, three instruments, users, accounts and money."""
    asked: list[Command] = [
        c.ListAsset(symbol="USDC", exponent=6),
        c.ListAsset(symbol="BTC", exponent=8),
        c.ListAsset(symbol="ETH", exponent=8),
    ]
    asked += [
        c.ListInstrument(
            symbol="BTC-USDC", name="Bitcoin", venue="LOCAL", base=1, quote=0, fees=FEES[0],
            tick_units=1, price_decimals=2, lot_units=1, quantity_decimals=3,
        ),
        c.ListInstrument(
            symbol="ETH-USDC", name="Ether", venue="LOCAL", base=2, quote=0, fees=FEES[1],
            tick_units=5, price_decimals=2, lot_units=1, quantity_decimals=4, quantity_min=2,
            quantity_max=40, notional_min=300, notional_max=20_000, band_ppm=60_000, reference=100,
            session_open=9 * HOUR, session_close=17 * HOUR, session_days=31,
        ),
        c.ListInstrument(
            symbol="ETH-BTC", name="", venue="", base=2, quote=1, fees=FEES[2],
            tick_units=1, price_decimals=4, lot_units=1, quantity_decimals=4, multiplier=3,
            session_open=22 * HOUR, session_close=5 * HOUR, session_days=31,
        ),
    ]  # fmt: skip
    roles = {"ada": ROLE_ADMIN, "clerk": ROLE_COMPLIANCE, "carol": ROLE_BROKER}
    asked += [c.RegisterUser(name=name, role=roles.get(name, 1)) for name in USERS]
    for account, owner in OWNERS.items():
        kind = HOUSE if owner == 0 else 1
        asked.append(c.OpenAccount(name=f"a{account}", owner=owner, kind=kind, is_exempt=account == 8))
    for account in OWNERS:
        asked += [
            c.Deposit(account=account, asset=asset, amount=m)
            for asset, m in enumerate((400_000, 10**8, 10**8))
        ]
    return [(START if at == 0 else MICRO, 0, command) for at, command in enumerate(asked)]


class Crowd:
    """Draws commands.

    live: (order id, account) of the open orders; orders_seen: the highest order id so far.  The
    caller keeps both.
    """

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.live: list[tuple[int, int]] = []
        self.orders_seen = 0
        self.asked: dict[int, c.PlaceOrder] = {}
        self.now = START
        self.aim = 0  # the order a change is meant for

    def step(self) -> Step:
        draw = self.random
        wait = draw.choice((0, 0, MICRO, MICRO, SECOND))
        if draw.random() < 0.01:
            wait = draw.choice((HOUR, 9 * HOUR, 30 * HOUR, 70 * HOUR)) + MICRO * draw.randrange(5)
        self.now += wait
        account = draw.choice(tuple(OWNERS))
        if draw.random() < 0.04:
            return wait, 0, self.remedy(account)
        self.aim = max(0, self.orders_seen - int(draw.expovariate(0.06)))
        if self.live and draw.random() < 0.7:
            self.aim, account = draw.choice(self.live)
        command = self.command(account)
        actor = OWNERS.get(account, 0)
        if draw.random() < 0.03 or isinstance(command, OPERATIONS):
            actor = draw.choice((0, 0, ADA, ADA, ADA, ALICE, CLERK, 99))
        return wait, actor, command

    def command(self, account: int) -> Command:
        draw = self.random
        kind = draw.random()
        if kind < 0.68:
            return self.retry(account) if draw.random() < 0.01 else self.place(account)
        if kind < 0.76:
            return c.CancelOrder(account, self.aim, self.client_id() if draw.random() < 0.3 else "")
        if kind < 0.87:
            quantity = draw.choice((0, 0, *range(1, 20), -1))
            limit = self.price() if draw.random() < 0.5 else 0
            number = 0 if draw.random() < 0.1 else self.aim
            return c.ModifyOrder(account, number, self.client_id(), quantity, limit, self.which())
        if kind < 0.93:
            limit = self.price() if draw.random() < 0.7 else 0
            return c.ReplaceOrder(account, self.aim, self.quantity(), limit, self.client_id(), self.which())
        if kind < 0.94:
            return c.CancelAll(account=account, instrument=draw.randrange(-2, 4), side=draw.randrange(4))
        if kind < 0.97:
            return self.money(account)
        return self.operation(account)

    def which(self) -> int:
        """An instrument named by a change; mostly none."""
        return self.random.choice((-1, -1, -1, -1, -1, 0, 0, 1, 2, 9))

    def price(self, side: int = 0) -> int:
        draw = self.random
        if draw.random() < 0.01:
            return draw.choice((-1, 1, 1 << 40, (1 << 40) + 1))
        low, high = {BUY: (94, 102), SELL: (99, 107)}.get(side, (94, 107))
        return draw.randrange(low, high)

    def quantity(self) -> int:
        draw = self.random
        return draw.choice((0, -3, 41, 500, (1 << 50) + 1)) if draw.random() < 0.03 else draw.randrange(1, 16)

    def client_id(self) -> str:
        draw = self.random
        if draw.random() < 0.8:
            return ""
        return draw.choice(("bad id", "x" * 37)) if draw.random() < 0.05 else f"c{draw.randrange(60)}"

    def place(self, account: int) -> c.PlaceOrder:
        draw = self.random
        kind = draw.choices((LIMIT, MARKET, MARKET_TO_LIMIT), (80, 12, 8))[0]
        tif = draw.choices((GTC, IOC, FOK, DAY_ORDER, GTD), (45, 10, 15, 10, 10))[0]
        if kind == MARKET and draw.random() < 0.9:
            tif = draw.choice((GTC, IOC, FOK))
        if kind == MARKET_TO_LIMIT and draw.random() < 0.9:
            tif = draw.choice((GTC, DAY_ORDER, GTD))
        quantity = self.quantity()
        display = draw.randrange(1, 5) if draw.random() < 0.2 else 0
        if kind != LIMIT and draw.random() < 0.9:
            display = 0
        horizon = draw.choice((SECOND, HOUR, 40 * HOUR)) if draw.random() < 0.97 else 400 * DAY
        expires = self.now + horizon if (tif == GTD) != (draw.random() < 0.02) else 0
        if expires and draw.random() < 0.02:
            expires += draw.randrange(1, MICRO)
        side = draw.choice((BUY, SELL))
        command = c.PlaceOrder(
            account,
            draw.choice((0, 0, 0, 1, 2)),
            side,
            kind,
            quantity,
            self.price(side) if (kind == LIMIT) != (draw.random() < 0.01) else 0,
            tif,
            display,
            expires,
            kind == LIMIT and draw.random() < 0.08,
            STP_CANCEL_NEWEST if draw.random() < 0.3 else draw.randrange(1, 6),
            self.client_id(),
        )
        if draw.random() < 0.01:
            self.spoil(command)
        if command.client_order_id:
            self.asked[account] = command
        return command

    def retry(self, account: int) -> c.PlaceOrder:
        """The account's last order with a client order id once more."""
        last = self.asked.get(account)
        return (
            self.place(account) if last is None else c.PlaceOrder(*(getattr(last, n) for n, _ in last.FIELDS))
        )

    def spoil(self, command: c.PlaceOrder) -> None:
        draw = self.random
        field = draw.choice(("account", "instrument", "side", "type", "tif", "stp", "is_post_only"))
        setattr(command, field, True if field == "is_post_only" else draw.choice((-1, 0, 6, 99)))

    def money(self, account: int) -> Command:
        draw = self.random
        asset = draw.choice((0, 0, 1, 2, 7)) if draw.random() < 0.2 else draw.randrange(3)
        amount = draw.choice((0, -5, 1 << 62)) if draw.random() < 0.05 else draw.randrange(1, 90_000)
        text = "a\nb" if draw.random() < 0.02 else "salary"
        kind = draw.randrange(4)
        if kind < 2:
            return c.Deposit(account=account, asset=asset, amount=amount, reference=text)
        if kind == 2:
            return c.Withdraw(account=account, asset=asset, amount=amount, reference=text)
        target = draw.randrange(-1, 10)
        return c.Transfer(source=account, target=target, asset=asset, amount=amount, reference=text)

    def operation(self, account: int) -> Command:
        draw = self.random
        instrument = draw.randrange(-1, 4)
        name = draw.choice(("a3", "b c", f"n{draw.randrange(99)}"))
        offers: tuple[tuple[int, Command], ...] = (
            (2, c.HaltInstrument(instrument=instrument, reason="news")),
            (7, c.ResumeInstrument(instrument=instrument)),
            (1, c.SuspendAccount(account=account, reason="" if draw.random() < 0.9 else "\x1b[31m")),
            (4, c.SuspendAccount(account=account, is_suspended=False)),
            (1, c.SetAccountLimits(account=account, open_orders_max=draw.choice((-1, 4, 9, 50, 10_001)))),
            (2, c.SetFeeTier(account=account, tier=draw.randrange(-3, 13))),
            (1, c.ResetAccount(account=account)),
            (1, c.Tick()),
            (1, c.Skip(reason="poison")),
            (2, c.ExpireOrder(order_id=self.aim)),
            (1, c.RegisterUser(name=f"u{draw.randrange(9)}" * draw.randrange(9), role=draw.randrange(0, 9))),
            (1, c.SetRole(user=draw.randrange(6, 12), role=draw.randrange(0, 9))),
            (1, c.OpenAccount(name=name, owner=draw.randrange(-1, 8))),
            (1, c.ListAsset(symbol=draw.choice(("USDC", "GOLD", "")), exponent=draw.choice((2, 19)))),
            (1, self.listing()),
            (4, self.amendment(instrument)),
        )
        return draw.choices([offer for _, offer in offers], [weight for weight, _ in offers])[0]

    def remedy(self, account: int) -> Command:
        """Keeps a long stream alive: markets open, accounts free and with money."""
        draw = self.random
        asset = draw.randrange(3)
        return draw.choice(
            (
                c.ResumeInstrument(instrument=draw.randrange(3)),
                c.SuspendAccount(account=account, is_suspended=False),
                c.SetAccountLimits(account=account, is_exempt=account == 8),
                c.Deposit(account=account, asset=asset, amount=(80_000, 3 * 10**6, 3 * 10**6)[asset]),
            )
        )

    def listing(self) -> c.ListInstrument:
        draw = self.random
        return c.ListInstrument(
            symbol=draw.choice(("ETH-BTC", "A-B", "A B")),
            name=draw.choice(("", "\x7f")),
            venue="",
            base=draw.randrange(-1, 4),
            quote=draw.randrange(3),
            tick_units=draw.choice((0, 1, 5)),
            price_decimals=draw.choice((2, 9, 19)),
            lot_units=1,
            quantity_decimals=draw.randrange(10),
        )

    def amendment(self, instrument: int) -> c.AmendInstrument:
        draw = self.random
        amended = c.AmendInstrument(
            instrument=instrument,
            fees=draw.choice((*FEES, (), ((0, 1_000_001),))),
            quantity_min=draw.choice((0, 1, 1, 2)),
            quantity_max=draw.choice((0, 0, 40)),
            notional_min=draw.choice((0, 300, 900)),
            notional_max=draw.choice((0, 0, 20_000)),
            band_ppm=draw.choice((0, 30_000, 60_000)),
            reference=draw.choice((0, 100)),
            session_open=draw.choice((0, 9 * HOUR, 22 * HOUR)),
            session_close=draw.choice((0, 5 * HOUR, 17 * HOUR, DAY)),
            session_days=draw.choice((0, 31, 127, 96)),
        )
        if draw.random() < 0.1:  # the most below the least
            field = draw.choice(("quantity", "notional"))
            setattr(amended, field + "_min", 9)
            setattr(amended, field + "_max", 8)
        return amended


OPERATIONS = (
    c.HaltInstrument,
    c.ResumeInstrument,
    c.SuspendAccount,
    c.SetAccountLimits,
    c.SetFeeTier,
    c.ExpireOrder,
    c.RegisterUser,
    c.SetRole,
    c.OpenAccount,
    c.ListAsset,
    c.ListInstrument,
    c.AmendInstrument,
    c.Tick,
    c.Skip,
)
