"""Wire protocols spoken at the edge; behind them all sessions are alike."""
