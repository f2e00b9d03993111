"""``python -m d2l_lrsched`` is ``d2l-lrsched``."""

from d2l_lrsched.cli import main

if __name__ == "__main__":
    main()
