"""The program `parvis`: what an operator types."""
