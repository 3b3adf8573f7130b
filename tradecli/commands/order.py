"""``tradecli order``: one line of the grammar in, what became of the order out."""

from typing import Annotated, Any

import typer

from exchange.core.commands import CancelAll
from tradecli import answers
from tradecli.context import Session, session_of, verb
from tradecli.drafts import CancelAllDraft, CancelDraft, Draft
from tradecli.errors import Refused, choose
from tradecli.parse import parse_order_line

app = typer.Typer()
LOOSE = {"ignore_unknown_options": True}  # a negative number is the grammar's to explain

Words = Annotated[
    list[str], typer.Argument(metavar="SYMBOL SIZE [@ PRICE] [WORD]...", help="The order; see `help orders`.")
]
OrderName = Annotated[
    list[str], typer.Argument(metavar="ORDER", help="Order id, or `id` and a client order id.")
]
Changes = Annotated[
    list[str], typer.Argument(metavar="ORDER [SIZE] [@ PRICE]", help="The order and its new size or limit.")
]
Preview = Annotated[
    bool, typer.Option("--preview", "--dry-run", help="Say what would happen to the last unit; send nothing.")
]
ClientId = Annotated[
    str, typer.Option("--client-id", "--id", metavar="TEXT", help="Your id; sent twice, it places one order.")
]


def trade(  # noqa: PLR0913 - one parameter per option
    context: typer.Context,
    words: Words,
    limit: Annotated[str, typer.Option(metavar="PRICE", help="Same as @ PRICE.")] = "",
    value: Annotated[str, typer.Option("--for", metavar="AMOUNT", help="Size as an amount of money.")] = "",
    tif: Annotated[str, typer.Option(metavar="TIF", help="gtc, ioc, fok, day or gtd:DATE.")] = "",
    order_type: Annotated[str, typer.Option("--type", metavar="TYPE", help="limit, mkt or mtl.")] = "",
    display: Annotated[str, typer.Option(metavar="SIZE", help="Iceberg: show only this much.")] = "",
    is_post_only: Annotated[bool, typer.Option("--post-only", help="Never take liquidity.")] = False,
    stp: Annotated[str, typer.Option(metavar="MODE", help="newest, oldest, both, decrement or none.")] = "",
    client_id: ClientId = "",
    is_preview: Preview = False,
) -> None:
    kind = choose("type", order_type, ("limit", "mkt", "market", "mtl")) if order_type else ""
    line = [str(context.info_name), words[0], *(["for", value] if value else []), *words[1:]]
    for word, text in (("@", limit), ("", tif), ("", kind.removeprefix("limit")), ("iceberg", display)):
        line += [word, text] if text else []
    line += ["stp", stp] if stp else []
    line += ["id", client_id] if client_id else []
    line += ["post"] if is_post_only else []
    enter(session_of(context), line, is_preview=is_preview)


EXAMPLES = {
    "buy": (
        "tradecli buy BTC-USDC 0.5 @ 64250.50 gtc",
        "tradecli buy ETH-USDC for 1000",
        "tradecli order buy BTC-USDC 0.5 --limit 64250.50 --tif gtc --client-id my-17 --preview",
    ),
    "sell": ("tradecli sell AAPL 100 mkt ioc", "tradecli order sell SOL-USDC 2 @ 180 post iceberg 0.5"),
}
for _side, _examples in EXAMPLES.items():
    verb(app, *_examples, name=_side, help=f"{_side.capitalize()}, in one line.", context_settings=LOOSE)(
        trade
    )


@verb(app, 'tradecli order place "buy BTC-USDC 0.5 @ 64250.50 gtc"', context_settings=LOOSE)
def place(
    context: typer.Context, words: Words, client_id: ClientId = "", is_preview: Preview = False
) -> None:
    """Buy or sell: the whole line, side first."""
    line = [*words, *(["id", client_id] if client_id else [])]
    enter(session_of(context), line, is_preview=is_preview)


@verb(app, "tradecli order modify 17 0.4 @ 64000", context_settings=LOOSE)
def modify(context: typer.Context, words: Changes, is_preview: Preview = False) -> None:
    """Change size or limit; the place in the queue stays when only the size shrinks."""
    enter(session_of(context), ["modify", *words], is_preview=is_preview)


@verb(app, "tradecli order replace 17 0.4 @ 64000 id my-18", context_settings=LOOSE)
def replace(context: typer.Context, words: Changes, is_preview: Preview = False) -> None:
    """Cancel and place anew in one step, at the back of the queue."""
    enter(session_of(context), ["replace", *words], is_preview=is_preview)


@verb(app, "tradecli order cancel 17", "tradecli order cancel id my-17", context_settings=LOOSE)
def cancel(
    context: typer.Context,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="ORDER", help="Order id, or `id TEXT`.")
    ] = None,
    client_id: ClientId = "",
    is_preview: Preview = False,
) -> None:
    """Cancel one order, or `all [SYMBOL] [buy|sell]`."""
    line = ["cancel", *(words or []), *(["id", client_id] if client_id else [])]
    enter(session_of(context), line, is_preview=is_preview)


@verb(app, "tradecli order cancel-all BTC-USDC --side buy --yes")
def cancel_all(
    context: typer.Context,
    symbol: Annotated[str, typer.Argument(metavar="[SYMBOL]", help="Only in this instrument.")] = "",
    side: Annotated[str, typer.Option(metavar="SIDE", help="Only buy or sell orders.")] = "",
    is_preview: Preview = False,
) -> None:
    """Cancel every open order of the account; asks first."""
    narrowed = [symbol] if symbol else []
    narrowed += [choose("side", side, ("buy", "sell"))] if side else []
    enter(session_of(context), ["cancel", "all", *narrowed], is_preview=is_preview)


@verb(app, "tradecli order list BTC-USDC", "tradecli order list --history -o csv", name="list")
def list_orders(
    context: typer.Context,
    symbol: Annotated[str, typer.Argument(metavar="[SYMBOL]", help="Only in this instrument.")] = "",
    is_history: Annotated[bool, typer.Option("--history", help="All orders, refused ones too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many of the history at most.")] = 50,
) -> None:
    """Open orders, oldest first; or the history, newest first."""
    session = session_of(context)
    chosen = {"instrument": session.directory.instrument(symbol).symbol} if symbol else {}
    if is_history:
        session.show(session.query("order_history", account=session.account_name, limit=limit, **chosen))
    else:
        session.show(session.query("orders", account=session.account_name, **chosen), *COLUMNS)


COLUMNS = (
    "order_id",
    "client_order_id",
    "symbol",
    "side",
    "quantity",
    "filled",
    "leaves",
    "limit",
    "tif",
    "queue_ahead",
    "status",
)


@verb(app, "tradecli order show 17", "tradecli order show id my-17 -o json")
def show(context: typer.Context, words: OrderName) -> None:
    """One order and where it stands."""
    session = session_of(context)
    draft = parse_order_line(" ".join(["cancel", *words]), session.directory)
    assert isinstance(draft, CancelDraft)
    session.show_object(open_order(session, draft.order_id, draft.client_order_id))


def open_order(session: Session, order_id: int, client_order_id: str) -> dict[str, Any]:
    """Raises NotFound when there is no such open order."""
    row: dict[str, Any] = session.query(
        "order", order_id=order_id, client_order_id=client_order_id, account=session.account_name
    )
    return row


def enter(session: Session, words: list[str], *, is_preview: bool) -> None:
    """Read one line, then preview it or send it."""
    draft = parse_order_line(
        " ".join(words),
        session.directory,
        quote=lambda symbol: session.query("quote", instrument=symbol),
        symbol_of=lambda number, name: str(open_order(session, number, name)["symbol"]),
    )
    if isinstance(draft, CancelAllDraft):
        _cancel_all(session, draft, is_preview=is_preview or draft.is_preview)
    elif is_preview or draft.is_preview:
        _preview(session, draft)
    else:
        receipt = session.send(draft.command(session.account))
        row = answers.order_row(receipt, session.directory)
        session.show_object(row, *answers.order_lines(row))


def _preview(session: Session, draft: Draft) -> None:
    from exchange.codec import command_to_json

    order = command_to_json(draft.command(session.account), session.directory)
    row = session.query("preview", order=order)
    if not row["ok"]:
        raise Refused({name: value for name, value in row.items() if name != "ok"})
    session.show_object(row, *answers.preview_lines(row))


def _cancel_all(session: Session, draft: CancelAllDraft, *, is_preview: bool) -> None:
    directory = session.directory
    chosen = {"instrument": directory.instruments[draft.instrument].symbol} if draft.instrument >= 0 else {}
    found = session.query("orders", account=session.account_name, **chosen)
    orders = [row for row in found if not draft.side or row["side"] == ("", "buy", "sell")[draft.side]]
    if is_preview:
        session.show(orders, *COLUMNS)
        return
    if orders:
        session.confirm(f"Cancel {len(orders)} open orders of account {session.account_name}?")
    command: CancelAll = draft.command(session.account)
    session.show(answers.canceled_rows(session.send(command).events, directory))
