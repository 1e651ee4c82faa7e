"""A mail server for tests: enough SMTP to take a message, want a password, refuse a recipient, be busy."""

import base64
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class MailServer:
    """Where it listens, what it took, and how it behaves."""

    port: int = 0
    user: str = ""
    password: str = ""
    refuses: set[str] = field(default_factory=set)
    busy_for: int = 0  # how many connections are told to come back later
    taken: list[EmailMessage] = field(default_factory=list)

    def talk(self, connection: socket.socket) -> None:
        """One conversation."""
        with connection, connection.makefile("rwb") as lines:

            def say(text: str) -> None:
                lines.write(f"{text}\r\n".encode())
                lines.flush()

            if self.busy_for:
                self.busy_for -= 1
                say("421 busy")
                return
            say("220 mail.test")
            signed_in, recipients = not self.user, list[str]()
            while line := lines.readline().decode().strip():
                verb, _, rest = line.partition(" ")
                match verb.upper():
                    case "EHLO":
                        say("250-mail.test\r\n250 AUTH PLAIN" if self.user else "250 mail.test")
                    case "AUTH":
                        given = base64.b64decode(rest.split()[1]).decode().split("\0")[1:]
                        signed_in = given == [self.user, self.password]
                        say("235 welcome" if signed_in else "535 authentication failed")
                    case "RCPT":
                        address = rest.partition("<")[2].partition(">")[0]
                        recipients.append(address)
                        say("550 no such user" if address in self.refuses else "250 ok")
                    case "DATA":
                        say("354 go ahead")
                        body = b""
                        while (part := lines.readline()) != b".\r\n":
                            body += part
                        message = message_from_bytes(body, policy=policy.default)
                        assert isinstance(message, EmailMessage)
                        self.taken.append(message)
                        say("250 taken")
                    case "QUIT":
                        say("221 bye")
                        return
                    case _:
                        say("250 ok" if signed_in else "530 sign in first")


@contextmanager
def mail_server(certificate: Path | None = None, **behaviour: str | set[str] | int) -> Iterator[MailServer]:
    """A mail server on this machine for the length of a block; with a certificate it speaks TLS from the start."""
    server = MailServer(**behaviour)  # type: ignore[arg-type] # the fields' own types
    listener = socket.create_server(("127.0.0.1", 0))
    server.port = listener.getsockname()[1]
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    server.talk(context.wrap_socket(connection, server_side=True) if context else connection)
                except OSError:
                    continue  # who does not trust the certificate hangs up

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield server
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def self_signed(folder: Path) -> Path:
    """A certificate for 127.0.0.1 and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file
