"""What the desk decides: model, store, actions, query, clocks.

It knows no channel and no screen.
"""
