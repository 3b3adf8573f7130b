"""The back office of the naive exchange: money, users, accounts and listings."""

from __future__ import annotations

from fractions import Fraction

from exchange.core import commands as c
from tests.reference.naive_book import RESET, Listing
from tests.reference.naive_exchange import (
    CLIENT,
    CLIENT_KIND,
    COMPLIANCE,
    DAY_NS,
    HOUSE_KIND,
    OUTSIDE,
    RULE_NAMES,
    SUPER_ADMIN,
    SYSTEM,
    NaiveAccount,
    NaiveExchange,
    RefusedError,
    is_identifier,
    is_text,
)

MINOR_MAX = 1 << 62


class NaiveDesk(NaiveExchange):
    """The whole naive exchange."""

    # Money

    def check_amount(self, asset: int, amount: int, reference: str) -> None:
        if not 0 <= asset < len(self.assets):
            raise RefusedError("asset.unknown")
        if not 0 < amount < MINOR_MAX:
            raise RefusedError("funds.amount_range", MINOR_MAX, amount, "Minor:asset")
        if not is_text(reference, 200):
            raise RefusedError("text.invalid", 200, len(reference), "int")

    def check_payer(self, account_id: int, asset: int, amount: int) -> None:
        if self.accounts[account_id].is_suspended:
            raise RefusedError("access.suspended")
        available = self.available(account_id, asset)
        if available < amount:
            raise RefusedError("funds.insufficient", available, amount, "Minor:asset")

    def pay(self, source: int, target: int, asset: int, amount: int, kind: str, reference: str) -> None:
        self.posted[source, asset] -= amount
        self.posted[target, asset] += amount
        self.emit("funds.transferred", source, target, asset, amount, kind, reference)

    def on_Deposit(self, actor: int, command: c.Deposit) -> None:  # noqa: N802
        self.account(command.account)
        self.may(actor, command, command.account)
        if command.account == OUTSIDE:
            raise RefusedError("funds.same_account")
        self.check_amount(command.asset, command.amount, command.reference)
        self.pay(OUTSIDE, command.account, command.asset, command.amount, "deposit", command.reference)

    def on_Withdraw(self, actor: int, command: c.Withdraw) -> None:  # noqa: N802
        self.account(command.account)
        self.may(actor, command, command.account)
        if command.account == OUTSIDE:
            raise RefusedError("funds.same_account")
        self.check_amount(command.asset, command.amount, command.reference)
        self.check_payer(command.account, command.asset, command.amount)
        self.pay(command.account, OUTSIDE, command.asset, command.amount, "withdrawal", command.reference)

    def on_Transfer(self, actor: int, command: c.Transfer) -> None:  # noqa: N802
        self.account(command.source)
        self.may(actor, command, command.source)
        self.account(command.target)
        if command.target == OUTSIDE:
            raise RefusedError("account.unknown")
        if command.target == command.source:
            raise RefusedError("funds.same_account")
        self.check_amount(command.asset, command.amount, command.reference)
        self.check_payer(command.source, command.asset, command.amount)
        self.pay(command.source, command.target, command.asset, command.amount, "transfer", command.reference)

    # Accounts and users

    def on_ResetAccount(self, actor: int, command: c.ResetAccount) -> None:  # noqa: N802
        account = self.account(command.account)
        self.may(actor, command, command.account)
        if account.owner == 0:
            raise RefusedError("access.denied")
        if account.is_suspended:
            raise RefusedError("access.suspended")
        self.cancel_matching(command.account, -1, 0, RESET)
        for asset in range(len(self.assets)):
            amount = self.posted[command.account, asset]
            if amount:
                self.pay(command.account, OUTSIDE, asset, amount, "reset", "")
        account.epoch += 1
        self.emit("account.reset", command.account, account.epoch)

    def on_RegisterUser(self, actor: int, command: c.RegisterUser) -> None:  # noqa: N802
        self.may(actor, command)
        if not is_identifier(command.name, 40):
            raise RefusedError("user.name_invalid", 40, len(command.name), "int")
        if command.name in [name for name, _ in self.users]:
            raise RefusedError("user.name_taken")
        if not CLIENT <= command.role <= COMPLIANCE:
            raise RefusedError("user.role_invalid", COMPLIANCE, command.role, "int")
        if command.role != CLIENT and self.users[actor][1] not in (SUPER_ADMIN, SYSTEM):
            raise RefusedError("access.denied")
        self.users.append((command.name, command.role))
        self.emit("user.registered", len(self.users) - 1, command.name, command.role)

    def on_SetRole(self, actor: int, command: c.SetRole) -> None:  # noqa: N802
        self.may(actor, command)
        if not 0 < command.user < len(self.users):
            raise RefusedError("user.unknown")
        if not CLIENT <= command.role <= COMPLIANCE:
            raise RefusedError("user.role_invalid", COMPLIANCE, command.role, "int")
        self.users[command.user] = (self.users[command.user][0], command.role)
        self.emit("user.role_set", command.user, command.role)

    def on_OpenAccount(self, actor: int, command: c.OpenAccount) -> None:  # noqa: N802
        if not 0 <= command.owner < len(self.users):
            raise RefusedError("user.unknown")
        role = self.users[actor][1] if 0 <= actor < len(self.users) else 0
        is_plain = command.owner == actor and command.kind == CLIENT_KIND and not command.is_exempt
        if role in (0, COMPLIANCE) or (role < 4 and not is_plain):
            raise RefusedError("access.denied")
        if command.kind not in (CLIENT_KIND, HOUSE_KIND):
            raise RefusedError("access.denied")
        if not is_identifier(command.name, 40):
            raise RefusedError("account.name_invalid", 40, len(command.name), "int")
        if command.name in [account.name for account in self.accounts]:
            raise RefusedError("account.name_taken")
        account = NaiveAccount(command.name, command.owner, command.kind, is_exempt=command.is_exempt)
        self.accounts.append(account)
        account_id = len(self.accounts) - 1
        self.emit("account.opened", account_id, command.name, command.owner, command.kind)

    def on_SuspendAccount(self, actor: int, command: c.SuspendAccount) -> None:  # noqa: N802
        self.may(actor, command)
        account = self.account(command.account)
        if not is_text(command.reason, 200):
            raise RefusedError("text.invalid", 200, len(command.reason), "int")
        account.is_suspended = command.is_suspended
        self.emit("account.suspended", command.account, command.is_suspended, command.reason)

    def on_SetAccountLimits(self, actor: int, command: c.SetAccountLimits) -> None:  # noqa: N802
        self.may(actor, command)
        account = self.account(command.account)
        if not 0 <= command.open_orders_max <= 10_000:
            raise RefusedError("limits.invalid", 10_000, command.open_orders_max, "int")
        account.open_orders_max, account.is_exempt = command.open_orders_max, command.is_exempt
        self.emit("account.limits_set", command.account, command.open_orders_max, command.is_exempt)

    def on_SetFeeTier(self, actor: int, command: c.SetFeeTier) -> None:  # noqa: N802
        self.may(actor, command)
        account = self.account(command.account)
        if not 0 <= command.tier <= 9:
            raise RefusedError("fee.tier_unknown", 9, command.tier, "int")
        account.tier = command.tier
        self.emit("account.fee_tier_set", command.account, command.tier)

    def on_Tick(self, actor: int, command: c.Tick) -> None:  # noqa: N802
        self.may(actor, command)

    def on_Skip(self, actor: int, command: c.Skip) -> None:  # noqa: N802
        self.may(actor, command)
        self.emit("journal.skipped", self.seq, command.reason)

    # Listings

    def on_ListAsset(self, actor: int, command: c.ListAsset) -> None:  # noqa: N802
        self.may(actor, command)
        if not is_identifier(command.symbol, 40) or not 0 <= command.exponent <= 18:
            raise RefusedError("asset.invalid", 18, command.exponent, "int")
        if command.symbol in [symbol for symbol, _ in self.assets]:
            raise RefusedError("asset.exists")
        self.assets.append((command.symbol, command.exponent))
        self.emit("asset.listed", len(self.assets) - 1, command.symbol, command.exponent)

    def on_ListInstrument(self, actor: int, command: c.ListInstrument) -> None:  # noqa: N802
        self.may(actor, command)
        if not is_identifier(command.symbol, 40):
            raise RefusedError("instrument.invalid", 40, len(command.symbol), "int")
        for text, most in ((command.name, 200), (command.venue, 40)):
            if not is_text(text, most):
                raise RefusedError("text.invalid", most, len(text), "int")
        if command.symbol in self.symbols:
            raise RefusedError("instrument.exists")
        known = range(len(self.assets))
        if command.base not in known or command.quote not in known:
            raise RefusedError("asset.unknown")
        if command.base == command.quote:
            raise RefusedError("instrument.invalid")
        sizes = (command.tick_units, command.lot_units, command.multiplier)
        decimals = (command.price_decimals, command.quantity_decimals)
        if min(sizes) <= 0 or max(sizes) > 1_000_000 or min(decimals) < 0 or max(decimals) > 18:
            raise RefusedError("instrument.invalid", 1_000_000, min(sizes), "int")
        tick = Fraction(command.tick_units, 10**command.price_decimals)
        lot = Fraction(command.lot_units, 10**command.quantity_decimals)
        unit = tick * lot * command.multiplier * 10 ** self.assets[command.quote][1]
        lot_minor = lot * 10 ** self.assets[command.base][1]
        if unit.denominator != 1 or lot_minor.denominator != 1:
            raise RefusedError("instrument.fractional_unit")
        rules = self.rules_of(command)
        self.symbols.append(command.symbol)
        self.listings.append(
            Listing(command.base, command.quote, int(unit), int(lot_minor), command.fees, rules)
        )
        self.emit("instrument.listed", len(self.listings) - 1, command.symbol)

    def rules_of(self, command: c.ListInstrument | c.AmendInstrument) -> dict[str, int]:
        if not 1 <= len(command.fees) <= 10:
            raise RefusedError("instrument.invalid", 10, len(command.fees), "int")
        for maker, taker in command.fees:
            if min(maker, taker) < 0 or max(maker, taker) > 1_000_000:
                raise RefusedError("instrument.invalid", 1_000_000, max(maker, taker), "Ppm")
        rules = {name: getattr(command, name) for name in RULE_NAMES}
        highest = (1 << 50, 1 << 50, MINOR_MAX, MINOR_MAX, 1_000_000, 1 << 40, DAY_NS, DAY_NS, 127)
        for name, most in zip(RULE_NAMES, highest, strict=True):
            value = rules[name] - (name == "quantity_min")
            if not 0 <= value <= most:
                raise RefusedError("instrument.invalid", most, value, "int")
        for kind in ("quantity", "notional"):
            low, high = rules[kind + "_min"], rules[kind + "_max"]
            if 0 < high < low:
                raise RefusedError("instrument.invalid", low, high, "int")
        return rules

    def on_AmendInstrument(self, actor: int, command: c.AmendInstrument) -> None:  # noqa: N802
        self.may(actor, command)
        listing = self.listing(command.instrument)
        listing.rules, listing.fees = self.rules_of(command), command.fees
        self.emit("instrument.amended", command.instrument)

    def on_HaltInstrument(self, actor: int, command: c.HaltInstrument) -> None:  # noqa: N802
        self.may(actor, command)
        listing = self.listing(command.instrument)
        if not listing.is_open:
            raise RefusedError("market.halted")
        if not is_text(command.reason, 200):
            raise RefusedError("text.invalid", 200, len(command.reason), "int")
        listing.is_open = False
        self.emit("instrument.halted", command.instrument, command.reason)

    def on_ResumeInstrument(self, actor: int, command: c.ResumeInstrument) -> None:  # noqa: N802
        self.may(actor, command)
        listing = self.listing(command.instrument)
        if listing.is_open:
            raise RefusedError("market.not_halted")
        listing.is_open = True
        self.emit("instrument.resumed", command.instrument)
