# Sourced by ./test and ./run: makes .venv in the checkout once, and brings it up to date when a requirements
# file has changed. Sets VENV_PYTHON. Needs Python 3.10 to 3.14 ($PYTHON chooses one) and PyPI.

find_python() {
	local candidate
	for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11 python3.10 python; do
		[ -n "$candidate" ] || continue
		if "$candidate" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null; then
			echo "$candidate"
			return 0
		fi
	done
	echo "venv: no Python 3.10 to 3.14 found; install one, or name it: PYTHON=/path/to/python3.14 $0" >&2
	return 1
}

# A file's fingerprint names the place too: a virtual environment does not survive being moved.
fingerprint() {
	"$VENV_PYTHON" -c 'import hashlib, pathlib, sys
text = pathlib.Path(sys.argv[1]).read_bytes() + sys.argv[2].encode() + sys.version.encode()
print(hashlib.sha256(text).hexdigest())' "$1" "$VENV_DIR"
}

# make_venv CHECKOUT REQUIREMENTS_FILE...
make_venv() {
	local checkout="$1" python file changed=()
	shift
	VENV_DIR="$checkout/.venv" VENV_PYTHON="$checkout/.venv/bin/python"
	mkdir -p "$VENV_DIR/stamps"
	exec 9>"$VENV_DIR/stamps/lock"
	if command -v flock >/dev/null; then flock 9; fi
	if ! "$VENV_PYTHON" -m pip --version >/dev/null 2>&1; then
		python="$(find_python)" || return 1
		echo "venv: making .venv with $("$python" --version)"
		if ! "$python" -m venv "$VENV_DIR"; then
			echo "venv: could not be made; on Debian and Ubuntu: apt install python3-venv" >&2
			return 1
		fi
		rm -f "$VENV_DIR"/stamps/*.txt
	fi
	for file in "$@"; do
		[ "$(cat "$VENV_DIR/stamps/$file" 2>/dev/null)" = "$(fingerprint "$checkout/$file")" ] || changed+=("$file")
	done
	if [ ${#changed[@]} -gt 0 ]; then
		echo "venv: installing ${changed[*]} (new or changed) from PyPI"
		(cd "$checkout" && "$VENV_PYTHON" -m pip install -qq --no-input --disable-pip-version-check \
			--progress-bar off "${@/#/--requirement=}") </dev/null || return 1
		for file in "${changed[@]}"; do
			fingerprint "$checkout/$file" >"$VENV_DIR/stamps/$file"
		done
	fi
	exec 9>&-
}
