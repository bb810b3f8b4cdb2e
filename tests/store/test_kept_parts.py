"""Images and sound of answers: kept once, gone with the last call that has them."""

from typing import Any

from sqlalchemy import func, select

from lib.calls import records
from lib.core.reply import Delta, Reply, Usage
from lib.store import image_store, kept_parts, schema
from lib.store.database import Store
from tests.store_fixtures import a_call, start

IMAGE = {"type": "image", "url": "data:image/png;base64,aGk="}
SOUND = {"type": "audio", "data": "UklGRg==", "format": "wav", "spoken": ""}
CALL = {"type": "tool_call", "name": "f", "arguments": "{}", "id": "call_1"}
ELSEWHERE = {"type": "image", "url": "https://img.example/a.png"}


def answered(store: Store, *parts: dict[str, Any], **facts: Any) -> str:
    call = start(store, a_call(**facts))
    reply = Reply(usage=Usage(3, 5, source="reported"), state="ok")
    reply.add(Delta(text="Hi", finish_reason="stop", parts=parts))
    assert store.write(lambda db: records.finish_call(db, call.id, reply)).result(20)
    return call.id


def stored(store: Store) -> int:
    images = schema.images
    query = select(func.count()).select_from(images).where(images.c.owner == "ann")
    return int(store.read(lambda db: db.execute(query).scalar_one()))


def test_parts_come_back_as_they_came_and_are_read_without_their_contents(store: Store) -> None:
    id = answered(store, IMAGE, SOUND, CALL, ELSEWHERE)
    record = store.read(lambda db: records.call_of(db, "ann", id))
    assert record is not None
    found = record.choices[0].parts

    assert "base64" not in str(found) and "UklGRg==" not in str(found)
    whole = store.read(lambda db: kept_parts.load(db, "ann", found))
    assert [{name: part[name] for name in part if part["type"] == "tool_call" or name != "id"} for part in whole] == [
        IMAGE,
        SOUND,
        CALL,
        ELSEWHERE,
    ]
    assert "data" not in store.read(lambda db: kept_parts.load(db, "bob", found))[1]


def test_they_go_with_the_last_call_that_has_them(store: Store) -> None:
    first, second = answered(store, IMAGE, SOUND), answered(store, IMAGE)
    assert stored(store) == 2
    store.write(lambda db: records.delete_calls(db, "ann", [first])).result(20)
    assert stored(store) == 1
    store.write(lambda db: records.forget_texts(db, "ann", [second])).result(20)
    assert stored(store) == 0


def test_what_a_message_has_stays(store: Store) -> None:
    id = answered(store, IMAGE)
    store.write(lambda db: image_store.keep(db, "ann", [IMAGE["url"]])).result(20)
    call = start(store, a_call(text="look"))
    row = {"owner": "ann", "hash": "ab" * 16, "role": "user", "text_id": "cd" * 16}
    kept = store.read(lambda db: records.call_of(db, "ann", id))
    assert kept is not None and call.id
    row["images"] = [kept.choices[0].parts[0]["id"]]
    store.write(lambda db: db.execute(schema.message_nodes.insert(), row)).result(20)
    store.write(lambda db: records.delete_calls(db, "ann", [id])).result(20)

    assert stored(store) == 1


def test_a_temporary_chat_leaves_no_part_behind(store: Store) -> None:
    id = answered(store, IMAGE, CALL, temporary=True)
    record = store.read(lambda db: records.call_of(db, "ann", id))

    assert record is not None and record.choices[0].parts == ()
    assert stored(store) == 0
