"""Run the command `funasr-cli` as `python -m funasr_cli`."""

from funasr_cli.cli import main

if __name__ == "__main__":
    main()
