"""`python -m funasr_cli`, the same as the command `funasr-cli`."""

from funasr_cli.cli import main

if __name__ == "__main__":
    main()
