"""What an answer does not show."""

from linkage.bisect.redaction import Redaction


def test_folders_and_names_of_a_machine() -> None:
    redaction = Redaction(
        {
            "/home/ada": "~",
            "/home/ada/.cache/linkage/bisect": "$LINKAGE_CACHE/bisect",
            "http://10.0.0.1:80": "$M",
        },
        {"ada-pc": "HOST"},
    )
    assert redaction.apply("/home/ada/.cache/linkage/bisect/toolchains/x /home/ada/c.rs") == (
        "$LINKAGE_CACHE/bisect/toolchains/x ~/c.rs"
    )
    assert redaction.apply("http://10.0.0.1:80/dist/x on ada-pc, ada-pc2") == "$M/dist/x on HOST, ada-pc2"
    assert redaction.apply("/home/adam /home/ada-x /home/ada.") == "/home/adam /home/ada-x /home/ada."
