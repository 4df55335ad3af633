"""Sets a PDF in a process of its own: the typesetter keeps what it has set in memory, and workers live for days.

Run as a file by `privacy.packages.pdf`; reads the template and, after a null character, the text as JSON; writes the
PDF. Python's own libraries would take longer to load than the typesetter.
"""

import os
import sys

import typst


def main() -> None:
    """Wait for the text, having read the fonts meanwhile."""
    os.nice(10)  # the database goes first: the rows that it hands over are waited for, this is not
    compiler = typst.Compiler(b"", ignore_system_fonts=True)
    template, copy = sys.stdin.buffer.read().split(b"\0")
    pdf = compiler.compile(
        template,
        format="pdf",
        sys_inputs={"copy": copy.decode()},
        pdf_standards=["a-2a", "ua-1"],
        timestamp=0,
    )
    assert isinstance(pdf, bytes)  # one file, not one a page
    sys.stdout.buffer.write(pdf)


if __name__ == "__main__":
    main()
