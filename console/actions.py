"""Everything an agent can do, in one table: bindings, the key line, the palette and the help are made from it.

A place is where the keys work: ``queue`` and ``ticket`` are the two panes, ``desk`` is both, ``composer`` the text of a
reply or a note, ``room`` a list of held or outgoing items.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ACTIONS", "Entry", "entries_for", "entry", "key_words"]


class Entry(NamedTuple):
    """One thing that can be done.

    ``title`` is what the palette and the help show, ``sentence`` explains it, ``hint`` is the word on the key line
    (none: it is not shown there), ``keys`` are Textual's names of keys, the first one is the one that is shown.
    """

    id: str
    title: str
    sentence: str
    keys: tuple[str, ...]
    places: tuple[str, ...]
    group: str
    hint: str = ""
    priority: bool = False
    """Works even while a text is being typed."""


_QUEUE = ("queue",)
_TICKET = ("ticket",)
_BOTH = ("queue", "ticket")

ACTIONS: tuple[Entry, ...] = (
    # -- going places
    Entry(
        "open",
        "Open the ticket",
        "Shows the conversation, the customer and the clocks.",
        ("enter", "o", "right"),
        _QUEUE,
        "Go",
        "open",
    ),
    Entry(
        "back",
        "Back to the queue",
        "Closes the ticket; what you typed is kept as a draft.",
        ("escape", "q", "u", "left"),
        _TICKET,
        "Go",
        "back",
    ),
    Entry(
        "clear",
        "Clear marks and filter",
        "Takes off the marks, then the filter.",
        ("escape",),
        _QUEUE,
        "Go",
    ),
    Entry(
        "reply",
        "Reply",
        "Answers the message you moved to, else the customer's newest; recipients come from that message.",
        ("r",),
        _BOTH,
        "Answer",
        "reply",
    ),
    Entry(
        "reply_all",
        "Reply to all",
        "Answers with everybody who was in To and Cc.",
        ("R",),
        _BOTH,
        "Answer",
    ),
    Entry(
        "note",
        "Write a note",
        "Something that only the team sees.",
        ("n",),
        _BOTH,
        "Answer",
        "note",
    ),
    Entry(
        "macro",
        "Macro …",
        "A standard answer with all that belongs to it: shows first what it would do.",
        ("m",),
        _BOTH,
        "Answer",
        "macro",
    ),
    Entry(
        "forward",
        "Forward …",
        "Passes the conversation, or the message under the cursor, on to somebody who is not the customer.",
        ("W",),
        _TICKET,
        "Answer",
    ),
    Entry(
        "take_proposed",
        "Take the suggested reply",
        "Puts the text that a rule proposes into your reply, at the cursor; nothing is sent until you send it.",
        ("D",),
        _TICKET,
        "Answer",
    ),
    Entry(
        "take_back",
        "Take back what has not left …",
        "A reply that is held or scheduled becomes your draft again, with its recipients and files.",
        ("T",),
        _TICKET,
        "Answer",
    ),
    Entry(
        "answer_by",
        "Answer by …",
        "Answers by another address or account of the same person, with what its channel can carry.",
        ("V",),
        _TICKET,
        "Answer",
    ),
    Entry(
        "join_customer",
        "Join with another customer …",
        "Says that two customers are one person: all their tickets stand together; undo parts them again.",
        ("C",),
        _TICKET,
        "Decide",
    ),
    Entry("take", "Take it", "Assigns the ticket to you.", ("A",), _BOTH, "Decide"),
    Entry(
        "assign",
        "Assign to …",
        "Gives the ticket to an agent or a group; no clock is reset.",
        ("a",),
        _BOTH,
        "Decide",
        "assign",
    ),
    Entry("resolve", "Resolve", "Sets the status to resolved.", ("e",), _BOTH, "Decide", "resolve"),
    Entry(
        "snooze",
        "Snooze …",
        "Out of sight until a time (2h, tomorrow 9:00, mon) or until the customer writes (reply).",
        ("s",),
        _BOTH,
        "Decide",
        "snooze",
    ),
    Entry(
        "escalate",
        "Escalate …",
        "Moves the ticket up with what the next person needs to know.",
        ("E",),
        _BOTH,
        "Decide",
        "escalate",
    ),
    Entry(
        "accept",
        "Accept the escalation",
        "It is yours now, and its acknowledgement clock stops.",
        ("y",),
        _BOTH,
        "Decide",
    ),
    Entry(
        "hand_back",
        "Hand back …",
        "Gives an escalated ticket back to who had it before, with a note.",
        ("Y",),
        _BOTH,
        "Decide",
    ),
    Entry(
        "status",
        "Set the status …",
        "New, open, pending, on hold, resolved or closed.",
        ("t",),
        _BOTH,
        "Decide",
    ),
    Entry(
        "priority",
        "Set the priority …",
        "A person's choice is never overwritten by a rule.",
        ("p",),
        _BOTH,
        "Decide",
    ),
    Entry(
        "tags",
        "Tags …",
        "Words to add; a minus in front takes one off.",
        ("#", "number_sign"),
        _BOTH,
        "Decide",
    ),
    Entry(
        "merge",
        "Merge into …",
        "All that are marked, or this one, go into the ticket you choose, with their messages; undo parts them.",
        ("M",),
        _BOTH,
        "Decide",
    ),
    Entry(
        "unmerge",
        "Take a merged ticket out …",
        "Gives a ticket that was merged in everything back that is its own.",
        (),
        _TICKET,
        "Decide",
    ),
    Entry(
        "split",
        "Split from here …",
        "Makes a ticket of its own of the message under the cursor and those after it, or of it alone.",
        ("X",),
        _TICKET,
        "Decide",
    ),
    Entry(
        "merge_suggested",
        "Merge into what it looks like",
        "Where a new ticket looks like an earlier one of the same customer.",
        ("plus",),
        _TICKET,
        "Decide",
    ),
    Entry(
        "dismiss_suggestion",
        "It is something else",
        "Takes the guess away that a ticket looks like another.",
        ("minus",),
        _TICKET,
        "Decide",
    ),
    Entry(
        "link",
        "Link with …",
        "Says that tickets have to do with each other; each shows the other.",
        ("L",),
        _BOTH,
        "Decide",
    ),
    Entry(
        "unlink",
        "Take a link away …",
        "Says that they have nothing to do with each other after all.",
        (),
        _TICKET,
        "Decide",
    ),
    Entry(
        "go_to",
        "Go to a related ticket …",
        "Linked tickets, and the others of this customer.",
        ("B",),
        _TICKET,
        "Go",
    ),
    Entry(
        "spam",
        "Spam",
        "Takes the ticket out of every view; undo brings it back.",
        ("!", "exclamation_mark"),
        _BOTH,
        "Decide",
    ),
    Entry("wake", "Wake up", "Brings a snoozed ticket back now.", ("S",), _BOTH, "Decide"),
    Entry(
        "undo",
        "Undo",
        "Takes back your last change; a reply only until it has left.",
        ("z",),
        _BOTH,
        "Decide",
        "undo",
    ),
    Entry("redo", "Redo", "Does again what you took back.", ("Z",), _BOTH, "Decide"),
    # -- the queue
    Entry(
        "filter",
        "Filter the queue",
        "Words or a query: status:open priority>=high due<2h -assignee:me",
        ("slash",),
        _QUEUE,
        "Find",
        "filter",
    ),
    Entry(
        "search",
        "Search everything",
        "Full text over all messages, resolved and closed tickets too.",
        ("backslash",),
        _BOTH,
        "Find",
    ),
    Entry(
        "mark",
        "Mark",
        "Marks the ticket and goes on; the next action changes all that are marked.",
        ("x", "space"),
        _QUEUE,
        "Mark",
        "mark",
    ),
    Entry(
        "mark_all", "Mark all shown", "Marks every ticket of the list.", ("ctrl+a",), _QUEUE, "Mark"
    ),
    Entry(
        "mark_none", "Clear the marks", "Takes all marks off.", ("ctrl+backslash",), _QUEUE, "Mark"
    ),
    Entry("next_view", "Next view", "Goes to the next view.", ("tab",), _QUEUE, "Go", "view"),
    Entry(
        "previous_view", "Previous view", "Goes to the view before.", ("shift+tab",), _QUEUE, "Go"
    ),
    # -- the ticket
    Entry(
        "next_ticket",
        "Next ticket",
        "The next one in the order of the view.",
        ("J", "right_square_bracket"),
        _TICKET,
        "Go",
    ),
    Entry(
        "previous_ticket",
        "Ticket before",
        "The one before in the order of the view.",
        ("K", "left_square_bracket"),
        _TICKET,
        "Go",
    ),
    Entry(
        "next_message",
        "Next message",
        "Moves to the next message.",
        ("ctrl+n", "right_curly_bracket"),
        _TICKET,
        "Read",
    ),
    Entry(
        "previous_message",
        "Message before",
        "Moves to the message before.",
        ("ctrl+p", "left_curly_bracket"),
        _TICKET,
        "Read",
    ),
    Entry(
        "fold",
        "Unfold or fold",
        "Shows the message under the cursor whole, with quoted history, or folds it again.",
        ("enter", "f"),
        _TICKET,
        "Read",
        "unfold",
    ),
    Entry("fold_all", "Unfold or fold all", "The same for every message.", ("F",), _TICKET, "Read"),
    Entry(
        "events",
        "Show or hide events",
        "Status changes, assignments and clocks between the messages.",
        ("v",),
        _TICKET,
        "Read",
        "events",
    ),
    Entry(
        "find",
        "Find in this ticket",
        "Marks the words; n and N go from one to the next.",
        ("slash",),
        _TICKET,
        "Find",
        "find",
    ),
    Entry(
        "find_previous",
        "Match before",
        "Goes to the match before, while words are marked.",
        ("N",),
        _TICKET,
        "Find",
    ),
    Entry(
        "files",
        "Attachments …",
        "Saves an attachment to a folder.",
        ("o",),
        _TICKET,
        "Read",
        "files",
    ),
    Entry(
        "original",
        "Original of the message",
        "The message under the cursor as it came: the whole header, and each part.",
        ("w",),
        _TICKET,
        "Read",
    ),
    Entry(
        "side",
        "Show or hide the side pane",
        "Customer, other tickets, facts and clocks.",
        ("i",),
        _BOTH,
        "Read",
    ),
    # -- the desk
    Entry(
        "palette",
        "Everything you can do",
        "Find an action by its name.",
        ("ctrl+k", "colon"),
        _BOTH,
        "Desk",
        "actions",
    ),
    Entry(
        "help",
        "Keys of this place",
        "Lists the keys; type to search.",
        ("question_mark",),
        _BOTH,
        "Desk",
        "help",
    ),
    Entry("held", "Held items", "What was kept out of the queue, and why.", ("H",), _BOTH, "Desk"),
    Entry("outbox", "Outbox", "What is to be sent, what failed.", ("O",), _BOTH, "Desk"),
    Entry(
        "accounts",
        "Accounts",
        "How each account does, since when, and when it is tried again.",
        ("at",),
        _BOTH,
        "Desk",
    ),
    Entry(
        "away",
        "I am away …",
        "Rules hand you nothing until you are back; at a time if you name one.",
        (),
        _BOTH,
        "Desk",
    ),
    Entry(
        "here",
        "I am here again",
        "You are given what waits in your groups.",
        (),
        _BOTH,
        "Desk",
    ),
    Entry(
        "tour",
        "The tour",
        "Three minutes round the demo's desk; the same key leaves it.",
        ("f2",),
        ("desk",),
        "Desk",
        priority=True,
    ),
    Entry(
        "tour_never",
        "No more offers of the tour",
        "The demo never offers it again; it can still be started.",
        ("N",),
        _QUEUE,
        "Desk",
    ),
    Entry("theme", "Dark, light or no colour", "Goes to the next theme.", (), _BOTH, "Desk"),
    Entry("leave", "Leave", "Ends deskhand; drafts are kept.", ("q",), _QUEUE, "Desk", "quit"),
    Entry(
        "quit",
        "Leave at once",
        "Ends deskhand from anywhere; drafts are kept.",
        ("ctrl+q",),
        ("desk",),
        "Desk",
        priority=True,
    ),
    # -- writing
    Entry(
        "send",
        "Send",
        "Puts the reply into the outbox, or saves the note.",
        ("ctrl+s", "ctrl+enter"),
        ("composer",),
        "Write",
        "send",
    ),
    Entry(
        "send_status",
        "Send and set the status …",
        "Sends, then pending, resolved or another status.",
        ("ctrl+x",),
        ("composer",),
        "Write",
        "and …",
    ),
    Entry(
        "recipients",
        "Recipients, subject, sender",
        "Opens the lines with To, Cc, Bcc, subject and From; tab completes an address.",
        ("ctrl+t",),
        ("composer",),
        "Write",
        "to",
    ),
    Entry(
        "attach",
        "Attach a file …",
        "Chooses files to send along, or takes one off again.",
        ("ctrl+f",),
        ("composer",),
        "Write",
        "file",
    ),
    Entry(
        "send_later",
        "Send later …",
        "At a time (2h, tomorrow 9:00, mon), unless the customer writes first if you like; with or without signature.",
        ("ctrl+l",),
        ("composer",),
        "Write",
        "later",
    ),
    Entry(
        "leave_composer",
        "Leave the composer",
        "Goes back to the ticket; the draft is kept.",
        ("escape",),
        ("composer",),
        "Write",
        "keep",
    ),
    Entry(
        "preview",
        "How it will be read",
        "Shows the whole letter with its marks, signature and history.",
        ("ctrl+p",),
        ("composer",),
        "Write",
        "preview",
    ),
    Entry(
        "macro_here",
        "Put a macro in …",
        "Its text goes in at the cursor; what it changes happens with sending.",
        ("ctrl+r",),
        ("composer",),
        "Write",
        "macro",
    ),
    Entry(
        "editor",
        "Write in your editor",
        "Opens $VISUAL or $EDITOR with the text.",
        ("ctrl+o",),
        ("composer",),
        "Write",
        "editor",
    ),
    Entry(
        "discard_draft",
        "Throw the draft away",
        "Empties the composer.",
        ("ctrl+g",),
        ("composer",),
        "Write",
        "throw away",
    ),
)

_BY_ID = {known.id: known for known in ACTIONS}


def entry(action_id: str) -> Entry:
    """The entry of an action; raises KeyError for one that is not in the table."""
    return _BY_ID[action_id]


def entries_for(place: str) -> list[Entry]:
    """What can be done in a place, in the order of the table; what works everywhere comes last."""
    return [known for known in ACTIONS if place in known.places] + [
        known for known in ACTIONS if "desk" in known.places
    ]


_KEY_WORDS = {
    "plus": "+",
    "minus": "-",
    "slash": "/",
    "backslash": "\\",
    "colon": ":",
    "question_mark": "?",
    "number_sign": "#",
    "at": "@",
    "exclamation_mark": "!",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "escape": "esc",
    "ctrl+backslash": "ctrl-\\",
    "shift+tab": "shift-tab",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
}


def key_words(key: str) -> str:
    """How a key is written for a person: ``ctrl-k``, ``/``, ``esc``."""
    return _KEY_WORDS.get(key) or key.replace("ctrl+", "ctrl-").replace("shift+", "shift-")
