"""For tools that still ask for a setup.py; everything it knows is in pyproject.toml and requirements.txt."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
REQUIREMENTS = (HERE / "requirements.txt").read_text(encoding="utf-8").splitlines()
VERSION = re.search(
	r'__version__ = "([^"]+)"', (HERE / "khalifa_whatsapp" / "__init__.py").read_text(encoding="utf-8")
)

setup(
	name="khalifa_whatsapp",
	version=VERSION.group(1),
	packages=find_packages(include=["khalifa_whatsapp", "khalifa_whatsapp.*"]),
	include_package_data=True,
	zip_safe=False,
	python_requires=">=3.10",
	install_requires=[line for line in REQUIREMENTS if line and not line.startswith("#")],
)
