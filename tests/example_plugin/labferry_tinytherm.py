"""Logs of TinyTherm thermometers: `# TinyTherm`, lines of `# key: value`, then `seconds;degrees`."""

from ingestors.api import Candidate, Claim, Extraction, Quantity, Sample, Specificity, UnreadableError, curve, table


class TinyTherm:
    name = "tinytherm"
    version = "1"

    def claim(self, candidate: Candidate) -> Claim | None:
        known = candidate.head.startswith(b"# TinyTherm")
        return Claim(Specificity.FORMAT, "the first line is # TinyTherm") if known else None

    def extract(self, candidate: Candidate) -> Extraction:
        lines = candidate.path.read_text("utf-8", errors="replace").splitlines()
        header = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# ") and ": " in line)
        rows = [line.split(";") for line in lines if line[:1].isdigit() and line.count(";") == 1]
        if not rows:
            raise UnreadableError("there are no rows of numbers below the header")
        seconds, degrees = [[float(row[side] or "nan") for row in rows] for side in (0, 1)]
        return Extraction(
            attributes={"measurement": "Temperature log", "timestamp": header.get("started", "")},
            scientific_metadata={
                "duration": Quantity(seconds[-1] - seconds[0], "s"),
                "header": header,
                "table": table(("time", "s", seconds), ("temperature", "degC", degrees)),
            },
            samples=[Sample(header["sample"])] if "sample" in header else [],
            thumbnails=[curve("temperature", seconds, degrees, x_label="time (s)", y_label="temperature (°C)")],
        )
