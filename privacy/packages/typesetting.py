"""Sets a PDF in a process of its own: the typesetter keeps what it has set in memory, and workers live for days.

Run as a file by `privacy.packages.pdf`; reads one JSON object, writes the PDF.
"""

import json
import sys
from typing import Any

import typst


def main() -> None:
    """Wait for the text, having read the fonts meanwhile."""
    standards: Any = ["a-2a", "ua-1"]
    warm = '#set document(title: "-")\n#set text(font: "Libertinus Serif")\n= -'
    typst.compile(warm.encode(), format="pdf", pdf_standards=standards, ignore_system_fonts=True)
    given = json.load(sys.stdin)
    pdf = typst.compile(
        given["template"].encode(),
        format="pdf",
        sys_inputs={"copy": json.dumps(given["copy"], ensure_ascii=False)},
        pdf_standards=standards,
        ignore_system_fonts=True,
        timestamp=0,
    )
    sys.stdout.buffer.write(pdf)


if __name__ == "__main__":
    main()
