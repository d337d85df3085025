"""callagent: places outbound AI phone calls and survives the failures of the services it uses."""

from typing import Final

__version__: Final = "0.1.0"
