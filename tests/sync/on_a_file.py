"""`python -m tests.sync.on_a_file`: two people settle the same at once on a database file, as one shop on one machine has it. The
tests' own SQLite is in memory, where threads meet locks that a file doesn't have."""

import django


def main() -> None:
    django.setup()
    from django.core.management import call_command

    from tests.sync.at_once import conflicts_make, many_by_one_of_three, one_by_one_of_two

    call_command("migrate", verbosity=0)
    conflicts = conflicts_make()
    one_by_one_of_two(conflicts)
    many_by_one_of_three(conflicts[1:])


if __name__ == "__main__":
    main()
