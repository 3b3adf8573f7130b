"""Put the data files of the repository's top level beside the code when a wheel is built."""

from pathlib import Path

from setuptools.command.build_py import build_py

FILES = ("config.toml", "data/instruments.toml")


class BuildPy(build_py):
    def run(self):
        super().run()
        if self.editable_mode:  # the checkout is found as it is
            return
        target = Path(self.build_lib) / "exchange" / "_shipped"
        self.mkpath(str(target))
        for name in FILES:
            self.copy_file(name, str(target / Path(name).name))
