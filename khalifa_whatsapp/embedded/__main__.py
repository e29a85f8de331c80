"""`python -m khalifa_whatsapp.embedded`."""

import sys

from khalifa_whatsapp.embedded.cli import main

if __name__ == "__main__":
	sys.exit(main())
