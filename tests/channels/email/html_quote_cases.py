"""How mail programs quote in HTML, with their lines in languages that no rule for texts knows: what
is found is found by the names in the HTML.
"""

from __future__ import annotations

OLD = "<div>Hello Anna,<br><br>please restart it.<br>Desk</div>"
OWN = "<div>Thank you, that works.</div><div><br></div><div>Anna</div>"
OWN_TEXT = "Thank you, that works.\n\nAnna"

# (program, HTML, what is left)
PAGES = [
    (
        "gmail",
        f'<div dir="ltr">{OWN}</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr"'
        ' class="gmail_attr">T3, 3 thg 6, 2025 vào lúc 09:05 Desk đã viết:<br></div><blockquote'
        f' class="gmail_quote" style="margin:0 0 0 .8ex">{OLD}</blockquote></div>',
        OWN_TEXT,
    ),
    (
        "gmail, older",
        f'<div dir="ltr">{OWN}</div><div class="gmail_extra"><br><div class="gmail_quote">3 Haz 2025'
        f' tarihinde Desk &lt;a@x.example&gt; şunu yazdı:<br><blockquote class="gmail_quote">{OLD}'
        "</blockquote></div></div>",
        OWN_TEXT,
    ),
    (
        "gmail, between",
        '<div class="gmail_quote"><div class="gmail_attr">T3, 3 thg 6, Desk đã viết:</div>'
        '<blockquote class="gmail_quote">Which version?</blockquote></div><div>4.2</div>'
        '<blockquote class="gmail_quote">Which system?</blockquote><div>Linux</div>',
        "4.2\n\nLinux",
    ),
    (
        "gmail, signature",
        '<div dir="ltr">Yes.<br><br><div dir="ltr" class="gmail_signature"'
        ' data-smartmail="gmail_signature"><div>Anna Berg<br>Berg GmbH</div></div></div>',
        "Yes.",
    ),
    (
        "outlook on the web",
        f'<div class="elementToProof">{OWN}</div><div id="appendonsend"></div><hr style="width:98%">'
        '<div id="divRplyFwdMsg" dir="ltr"><b>ຈາກ:</b> Desk<br><b>ສົ່ງ:</b> 3<br><b>ຫາ:</b> Anna</div>'
        f"<div>{OLD}</div>",
        OWN_TEXT,
    ),
    (
        "outlook",
        f'<div class="WordSection1">{OWN}<div style="border:none;border-top:solid #E1E1E1 1.0pt;'
        'padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal"><b>ຈາກ:</b> Desk<br><b>ສົ່ງ:</b> 3</p></div>'
        f"{OLD}</div>",
        OWN_TEXT,
    ),
    (
        "outlook, new",
        f'{OWN}<div id="mail-editor-reference-message-container"><div class="ms-outlook-mobile-'
        f'reference-message">ຈາກ: Desk</div>{OLD}</div>',
        OWN_TEXT,
    ),
    (
        "outlook for mac",
        f'{OWN}<span id="OLK_SRC_BODY_SECTION"><div>ຈາກ: Desk</div><blockquote>{OLD}</blockquote></span>',
        OWN_TEXT,
    ),
    (
        "outlook, answered before",
        f'{OWN}<div id="x_divRplyFwdMsg"><b>ຈາກ:</b> Desk</div>{OLD}',
        OWN_TEXT,
    ),
    (
        "outlook on a phone",
        '<div>Yes.</div><div id="ms-outlook-mobile-signature"><div>Anna Berg</div>Skaffa Outlook</div>'
        f'<div id="divRplyFwdMsg"><b>ຈາກ:</b> Desk</div>{OLD}',
        "Yes.",
    ),
    (
        "apple",
        f'{OWN}<div><br><blockquote type="cite"><div>On 3 Jun 2025, at 09:05, Desk &lt;a@x.example&gt;'
        f' wrote:</div><br class="Apple-interchange-newline">{OLD}</blockquote></div>',
        OWN_TEXT,
    ),
    (
        "yahoo",
        f'<div class="ydp1yahoo-style-wrap">{OWN}</div><div id="yahoo_quoted_12" class="yahoo_quoted">'
        f"<div><div>Vào Th 3, 3 thg 6, Desk đã viết:</div><div><br></div>{OLD}</div></div>",
        OWN_TEXT,
    ),
    (
        "proton",
        f'<div>{OWN}</div><div class="protonmail_signature_block"><div class="protonmail_signature_block'
        '-user">Anna Berg</div></div><div class="protonmail_quote">3 Haziran, Desk yazdı:<br>'
        f'<blockquote class="protonmail_quote" type="cite">{OLD}</blockquote></div>',
        OWN_TEXT,
    ),
    (
        "thunderbird",
        f'<p>{OWN}</p><div class="moz-cite-prefix">Ngày 03/06/2025, Desk đã viết:<br></div>'
        f'<blockquote type="cite" cite="mid:1@x">{OLD}</blockquote>',
        OWN_TEXT,
    ),
    (
        "thunderbird, below",
        '<div class="moz-cite-prefix">Ngày 03/06/2025, Desk đã viết:<br></div><blockquote type="cite">'
        f'{OLD}</blockquote><p>Yes.</p><div class="moz-signature">-- <br>Anna Berg</div>',
        "Yes.",
    ),
    (
        "zoho",
        f'{OWN}<div class="zmail_extra"><div id="Zm-_Id_-Sgn1">---- 3 thg 6 Desk đã viết ----<br></div>'
        f'<blockquote id="blockquote_zmail">{OLD}</blockquote></div>',
        OWN_TEXT,
    ),
    (
        "gmx",
        f'{OWN}<div name="quote" style="margin:10px 5px 5px 10px; border-left: 2px solid #C3D9E5">'
        f"<div><b>Poslato:</b> 3<br><b>Od koga:</b> Desk</div>{OLD}</div>",
        OWN_TEXT,
    ),
    (
        "zimbra",
        f'{OWN}<hr id="zwchr" data-marker="__DIVIDER__"><div data-marker="__HEADERS__"><b>ຈາກ: </b>Desk'
        f"</div>{OLD}",
        OWN_TEXT,
    ),
    (
        "netease",
        f'{OWN}<blockquote id="isReplyContent" style="PADDING-LEFT: 1ex">{OLD}</blockquote>',
        OWN_TEXT,
    ),
    (
        "roundcube",
        f'<p id="reply-intro">Ngày 03/06/2025, Desk đã viết:</p><blockquote type="cite">{OLD}'
        f"</blockquote>{OWN}",
        OWN_TEXT,
    ),
    (
        "gmail, forwarded",
        '<div>Look:</div><div class="gmail_quote"><div class="gmail_attr">---------- Forwarded message'
        " ---------<br>From: <b>Carl</b></div><div>It is broken!</div></div>",
        "Look:\n---------- Forwarded message ---------\nFrom: Carl\nIt is broken!",
    ),
    ("nothing of its own", f'<div class="yahoo_quoted">{OLD}</div>', "Hello Anna,\n\nplease restart it.\nDesk"),
]  # fmt: skip
