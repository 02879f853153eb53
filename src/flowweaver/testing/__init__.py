"""Conformance kits: what every executor and every state store must do, as pytest classes."""
