"""Settings of the core: where the data lives. Read once, in the composition root or the command line."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class KnowledgeSettings(BaseSettings):
    """Environment variables `FAWEN_DATABASE_URL` and `FAWEN_DATA_DIR` (see `.env.example`)."""

    model_config = SettingsConfigDict(env_prefix="FAWEN_", env_file=".env", extra="ignore", frozen=True)

    database_url: str = ""
    data_dir: Path = Path("data")

    @property
    def url(self) -> str:
        """The database address SQLAlchemy takes; the embedded SQLite file where none is set.

        `postgresql://` is read as psycopg 3, the only driver that is installed.
        """
        if not self.database_url:
            return f"sqlite:///{self.data_dir.absolute() / 'fawen.sqlite3'}"
        for prefix in ("postgresql://", "postgres://"):
            if self.database_url.startswith(prefix):
                return "postgresql+psycopg://" + self.database_url.removeprefix(prefix)
        return self.database_url
