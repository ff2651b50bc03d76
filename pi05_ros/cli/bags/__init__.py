"""`./pi05 bags`: what people do with recorded episodes."""
