"""One file per noun: every function parses, calls a client verb and renders.

No postponed annotations here: Typer would evaluate those strings twice at every start.
"""
