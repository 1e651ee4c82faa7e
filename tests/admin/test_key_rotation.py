"""A new FAWEN_SECRET_KEY: what the one before it encrypted is read once more, and encrypted anew at the start."""

import pyotp
import pytest

from knowledge import alert_settings, site_settings, staff
from knowledge.alert_settings import Email
from knowledge.database import Database
from knowledge.encryption import Encryption, Renewal
from knowledge.errors import SecretUnreadable
from tests.admin.test_pages import sign_in, token
from tests.conftest import NOW, SECRET_KEY, Served, add_staff, serving

OLD_KEY, LOST_KEY = "o" * 40, "l" * 40
SEED = pyotp.random_base32()
ROBOT = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=very-secret"
EMAIL = Email("mail.example.cn", 465, "tls", "fawen", "mail-secret", "fawen@example.cn", ("li@example.cn",))


def store_secrets(database: Database, key: str) -> None:
    """Everything that is encrypted: 李's second factor, the mail password and the robot's address."""
    under = Encryption(key)
    add_staff(database)
    with database.writing() as session:
        member = staff.named(session, "李")
        assert member
        member.totp_secret = under.encrypt(SEED)
        session.add(member)
        alert_settings.save_email(session, under, EMAIL, against=0, actor="陈", now=NOW)
        origin = "https://qyapi.weixin.qq.com"
        alert_settings.save_robot(session, under, ROBOT, origin=origin, against=1, actor="陈", now=NOW)


def code_opens(served: Served) -> bool:
    with served.browser() as browser:
        asked = sign_in(browser)
        code = pyotp.TOTP(SEED).now()
        return browser.post("/admin/sign-in/code", data={"form_token": token(asked), "code": code}).status_code == 200


def test_a_start_with_the_previous_key_brings_every_secret_under_the_new_one(database: Database) -> None:
    store_secrets(database, OLD_KEY)

    with serving(database, previous_secret_key=OLD_KEY) as served:
        assert code_opens(served)

    alone = Encryption(SECRET_KEY)  # as after the next start, without the previous key
    with database.writing() as session:
        member = staff.named(session, "李")
        assert member
        assert member.totp_secret
        assert alone.decrypt(member.totp_secret) == SEED
        loaded = alert_settings.load(session, alone)
        assert (loaded.email, loaded.robot) == (EMAIL, ROBOT)
        assert alert_settings.kept(session).number == 2, "nobody changed a setting"
        assert staff.renew_second_factors(session, alone) == Renewal()
        assert alert_settings.renew_secrets(session, alone) == Renewal()
        with pytest.raises(SecretUnreadable):
            alert_settings.load(session, Encryption(OLD_KEY))


def test_what_neither_key_reads_stays_and_does_not_keep_the_server_from_starting(sqlite: Database) -> None:
    store_secrets(sqlite, LOST_KEY)
    with sqlite.reading() as session:
        before = site_settings.load(session, alert_settings.SUBJECT)

    with serving(sqlite, previous_secret_key=OLD_KEY):
        pass

    with sqlite.reading() as session:
        assert site_settings.load(session, alert_settings.SUBJECT) == before
        assert alert_settings.load(session, Encryption(LOST_KEY)).robot == ROBOT
        assert alert_settings.renew_secrets(session, Encryption(SECRET_KEY, OLD_KEY)) == Renewal(unreadable=2)
