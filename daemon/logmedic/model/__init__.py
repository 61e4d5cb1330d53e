"""Values: frozen dataclasses and enums, standard library only."""
