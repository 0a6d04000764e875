"""The lease protocol, exhaustively at small size: the cloud's real step and the bridge's real lease."""
