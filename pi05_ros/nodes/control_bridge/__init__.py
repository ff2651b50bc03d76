"""The control bridge node: action chunks in, commands of controllers out."""
