"""The colours that figures and page share; the page changes them where it is dark. Light to import."""

INK, GRID, GREY, PAPER = "#222222", "#d9d9d9", "#808080", "#fffffe"
"""Colours of text and axes, of lines behind the data, of what is not decided, and of what is left blank."""
