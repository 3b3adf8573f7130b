"""The language of the scenario tables: one row of text to the commands it asks for.

    asset   USDC 6 | BTC 8
    list    BTC-USDC tick 0.01 lot 0.001 fees 1bp/5bp band 5% reference 100.00
    user    alice 1000 USDC 5 BTC | bob 1000 USDC
    alice   buy 2 @ 100.00 gtc id a1        -> accepted #1 hold 0.2002
    alice   modify #1 to 1 @ 99.00
    ada     halt BTC-USDC 'news' as ada

``@7`` is the raw id 7 where a name is expected; ``as NAME`` ends a row with another actor.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from exchange.core import commands as c
from exchange.core.engine import Engine
from exchange.core.instrument import Instrument
from exchange.core.messages import Command
from exchange.core.terms import (
    ACCOUNT_KINDS,
    BUY,
    GTC,
    GTD,
    LIMIT,
    MARKET,
    MARKET_TO_LIMIT,
    ROLES,
    SELF_TRADES,
    SELL,
    STP_CANCEL_NEWEST,
    TIMES_IN_FORCE,
)
from tests.scenarios.words import Words, amended, listed, moment, steps

SIDES = {"buy": BUY, "sell": SELL}
NUMBERS = ("side", "type", "tif", "stp")  # fields that a row may set to a raw number
Asked = tuple[int, Command]  # who, and what


class Language:
    """Reads rows against the names and sizes of one engine."""

    def __init__(self, engine: Engine) -> None:
        self.state = engine.state
        self.instrument = 0  # what orders are about unless a row says `in`

    # Names

    def account(self, name: str) -> int:
        return int(name[1:]) if name[0] == "@" else self.state.account_names[name]

    def user(self, name: str) -> int:
        return int(name[1:]) if name[0] == "@" else self.state.user_names[name]

    def asset(self, name: str) -> int:
        return int(name[1:]) if name[0] == "@" else self.state.asset_symbols[name]

    def symbol(self, name: str) -> int:
        return int(name[1:]) if name[0] == "@" else self.state.symbols[name]

    def listed(self) -> Instrument:
        known = self.instrument if 0 <= self.instrument < len(self.state.books) else 0
        return self.state.books[known].instrument

    # Numbers

    def ticks(self, text: str) -> int:
        listed = self.listed()
        return steps(text, Fraction(listed.tick_units, 10**listed.price_decimals))

    def lots(self, text: str) -> int:
        listed = self.listed()
        return steps(text, Fraction(listed.lot_units, 10**listed.quantity_decimals))

    def minor(self, text: str, asset: int) -> int:
        known = self.state.asset(asset)
        return steps(text, Fraction(1, 10 ** (known.exponent if known else 0)))

    # Rows

    def read(self, row: str) -> Iterator[Asked]:
        """What a row asks for, in order; each is applied before the next is read."""
        words = Words(row)
        actor = -1
        if len(words.words) > 2 and words.words[-2] == "as":
            actor = self.user(words.words.pop())
            words.words.pop()
        verb = words.take()
        if verb in ("asset", "user"):
            for part in " ".join(words.words).split(" | "):
                asked = self.asset_row(part.split()) if verb == "asset" else self.user_row(part.split())
                yield from ((max(actor, 0), command) for command in asked)
            return
        method = getattr(self, "do_" + verb, None)
        if method is not None:
            command = method(words)
            words.end()
            yield max(actor, 0), command
            return
        account = self.account(verb)
        command = getattr(self, "on_" + words.take().replace("-", "_"))(words, account)
        words.end()
        known = self.state.account(account)
        yield actor if actor >= 0 else known.owner if known else 0, command

    def asset_row(self, words: list[str]) -> list[Command]:
        return [c.ListAsset(symbol=words[0], exponent=int(words[1]))]

    def user_row(self, words: list[str]) -> list[Command]:
        """A user with an account of the same name and money in it."""
        name, *money = words
        account, owner = len(self.state.accounts), len(self.state.users)
        asked: list[Command] = [c.RegisterUser(name=name), c.OpenAccount(name=name, owner=owner)]
        for amount, symbol in zip(money[::2], money[1::2], strict=True):
            asset = self.asset(symbol)
            asked.append(c.Deposit(account=account, asset=asset, amount=self.minor(amount, asset)))
        return asked

    # Orders

    def on_buy(self, words: Words, account: int) -> Command:
        return self.order(words, account, BUY)

    def on_sell(self, words: Words, account: int) -> Command:
        return self.order(words, account, SELL)

    def order(self, words: Words, account: int, side: int) -> Command:
        fields: dict[str, int] = {"side": side, "tif": GTC, "stp": STP_CANCEL_NEWEST, "type": LIMIT}
        before, client_order_id = self.instrument, ""
        if "in" in words.words:
            at = words.words.index("in")
            self.instrument = self.symbol(words.words[at + 1])
            del words.words[at : at + 2]
        instrument = self.instrument
        quantity, limit, display, expires, is_post_only = self.lots(words.take()), 0, 0, 0, False
        while words:
            word = words.take()
            if word == "@":
                limit = self.ticks(words.take())
            elif word in ("market", "mtl"):
                fields["type"] = MARKET if word == "market" else MARKET_TO_LIMIT
            elif word in TIMES_IN_FORCE:
                fields["tif"] = TIMES_IN_FORCE.index(word)
            elif word == "until":
                fields["tif"], expires = GTD, moment(words.take(), self.state.ts)
            elif word == "expires":
                expires = moment(words.take(), self.state.ts)
            elif word == "show":
                display = self.lots(words.take())
            elif word == "post":
                is_post_only = True
            elif word in SELF_TRADES:
                fields["stp"] = SELF_TRADES.index(word)
            elif word == "id":
                client_order_id = words.text()
            else:
                assert word in NUMBERS, f"not understood: {word}"
                fields[word] = int(words.take())
        self.instrument = before
        return c.PlaceOrder(
            account,
            instrument,
            fields["side"],
            fields["type"],
            quantity,
            limit,
            fields["tif"],
            display,
            expires,
            is_post_only,
            fields["stp"],
            client_order_id,
        )

    def which(self, words: Words) -> tuple[int, str]:
        """ "#4" or "id a1", and the sizes of that order's instrument from here on."""
        word = words.take()
        order_id = 0 if word == "id" else int(word[1:])
        order = self.state.order(order_id)
        if order is not None:
            self.instrument = order.book.instrument.instrument_id
        return order_id, words.take() if word == "id" else ""

    def on_cancel(self, words: Words, account: int) -> Command:
        return c.CancelOrder(account, *self.which(words))

    def on_cancel_all(self, words: Words, account: int) -> Command:
        side = words.took("buy", "sell", "side")
        number = int(words.take()) if side == "side" else SIDES.get(side, 0)
        instrument = self.symbol(words.take()) if words.took("in") else -1
        return c.CancelAll(account=account, instrument=instrument, side=number)

    def on_modify(self, words: Words, account: int) -> Command:
        before = self.instrument
        order_id, client_order_id = self.which(words)
        instrument = self.symbol(words.take()) if words.took("in") else -1
        quantity = self.lots(words.take()) if words.took("to") else 0
        limit = self.ticks(words.take()) if words.took("@") else 0
        self.instrument = before
        return c.ModifyOrder(account, order_id, client_order_id, quantity, limit, instrument)

    def on_replace(self, words: Words, account: int) -> Command:
        before = self.instrument
        order_id, _ = self.which(words)
        instrument = self.symbol(words.take()) if words.took("in") else -1
        quantity = self.lots(words.take())
        limit = self.ticks(words.take()) if words.took("@") else 0
        self.instrument = before
        client_order_id = words.text() if words.took("id") else ""
        return c.ReplaceOrder(account, order_id, quantity, limit, client_order_id, instrument)

    # Money

    def money(self, words: Words) -> tuple[int, int]:
        amount, asset = words.take(), self.asset(words.take())
        return asset, self.minor(amount, asset)

    def on_deposit(self, words: Words, account: int) -> Command:
        asset, amount = self.money(words)
        return c.Deposit(account=account, asset=asset, amount=amount, reference=words.text())

    def on_withdraw(self, words: Words, account: int) -> Command:
        asset, amount = self.money(words)
        return c.Withdraw(account=account, asset=asset, amount=amount, reference=words.text())

    def on_transfer(self, words: Words, account: int) -> Command:
        asset, amount = self.money(words)
        assert words.take() == "to"
        target = self.account(words.take())
        return c.Transfer(source=account, target=target, asset=asset, amount=amount, reference=words.text())

    def on_reset(self, words: Words, account: int) -> Command:
        return c.ResetAccount(account=account)

    # Operations

    def do_register(self, words: Words) -> Command:
        name, role = words.text(), words.take() if words else "client"
        return c.RegisterUser(name=name, role=ROLES.index(role) if role in ROLES else int(role))

    def do_role(self, words: Words) -> Command:
        user, role = self.user(words.take()), words.take()
        return c.SetRole(user=user, role=ROLES.index(role) if role in ROLES else int(role))

    def do_open(self, words: Words) -> Command:
        name = words.text()
        assert words.take() == "for"
        owner = self.user(words.take())
        kind = words.took(*ACCOUNT_KINDS) or "client"
        exempt = bool(words.took("exempt"))
        return c.OpenAccount(name=name, owner=owner, kind=ACCOUNT_KINDS.index(kind), is_exempt=exempt)

    def do_suspend(self, words: Words) -> Command:
        return c.SuspendAccount(account=self.account(words.take()), reason=words.text())

    def do_unsuspend(self, words: Words) -> Command:
        return c.SuspendAccount(account=self.account(words.take()), is_suspended=False)

    def do_limits(self, words: Words) -> Command:
        account, most = self.account(words.take()), int(words.take())
        return c.SetAccountLimits(account=account, open_orders_max=most, is_exempt=bool(words.took("exempt")))

    def do_tier(self, words: Words) -> Command:
        return c.SetFeeTier(account=self.account(words.take()), tier=int(words.take()))

    def do_list(self, words: Words) -> Command:
        return listed(words, self.state)

    def do_amend(self, words: Words) -> Command:
        return amended(words, self.symbol(words.take()), self.state)

    def do_halt(self, words: Words) -> Command:
        return c.HaltInstrument(instrument=self.symbol(words.take()), reason=words.text())

    def do_resume(self, words: Words) -> Command:
        return c.ResumeInstrument(instrument=self.symbol(words.take()))

    def do_expire(self, words: Words) -> Command:
        return c.ExpireOrder(order_id=int(words.take()[1:]))

    def do_skip(self, words: Words) -> Command:
        return c.Skip(reason=words.text())

    def do_tick(self, words: Words) -> Command:
        return c.Tick()
