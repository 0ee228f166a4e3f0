"""Which changes of a package break who was built against it: on the wire, in JSON, or when they are compiled."""

from google.protobuf import descriptor_pb2

_FIELD = descriptor_pb2.FieldDescriptorProto


def breaks(old_files, new_files):
    """What a change from the one to the other breaks, each as a sentence that says what to do. None: it may be made."""
    old, new = _Package(old_files), _Package(new_files)
    found = []
    for name, message in old.messages.items():
        if name in new.messages:
            found += _of_message(name, message, new.messages[name])
        else:
            found.append(f"message {name} is gone: keep it, and say in its comment that it is not used any more")
    for name, enum in old.enums.items():
        if name in new.enums:
            found += _of_enum(name, enum, new.enums[name])
        else:
            found.append(f"enum {name} is gone: keep it, and say in its comment that it is not used any more")
    for name, service in old.services.items():
        if name in new.services:
            found += _of_service(name, service, new.services[name])
        else:
            found.append(f"service {name} is gone: keep it, or make the change in a new package (v2)")
    return found


class _Package:
    """Everything of a package by its full name, whichever file it is in."""

    def __init__(self, files):
        self.messages, self.enums, self.services = {}, {}, {}
        for file in files:
            prefix = f"{file.package}." if file.package else ""
            for message in file.message_type:
                self._add(prefix, message)
            self.enums.update({prefix + enum.name: enum for enum in file.enum_type})
            self.services.update({prefix + service.name: service for service in file.service})

    def _add(self, prefix, message):
        name = prefix + message.name
        self.messages[name] = message
        for nested in message.nested_type:
            self._add(f"{name}.", nested)
        self.enums.update({f"{name}.{enum.name}": enum for enum in message.enum_type})


def _type(field):
    """As the proto says it."""
    kind = field.type_name.removeprefix(".") or _FIELD.Type.Name(field.type).removeprefix("TYPE_").lower()
    return f"repeated {kind}" if field.label == _FIELD.LABEL_REPEATED else kind


def _has_presence(field):
    """Absent and the default value are two things."""
    return field.proto3_optional or field.HasField("oneof_index") or field.type == _FIELD.TYPE_MESSAGE


def _oneof(message, field):
    """The name of the field's oneof; "" for those that `optional` makes."""
    if not field.HasField("oneof_index") or field.proto3_optional:
        return ""
    return message.oneof_decl[field.oneof_index].name


def _reserved(number, ranges, end):
    """A range of a message ends before its `end`, one of an enum with it."""
    return any(entry.start <= number < entry.end + end for entry in ranges)


def _of_message(name, old, new):
    found = []
    by_number = {field.number: field for field in new.field}
    for field in old.field:
        here = f"field {name}.{field.name} = {field.number}"
        now = by_number.get(field.number)
        if now is None:
            moved = next((other for other in new.field if other.name == field.name), None)
            if moved is not None:
                found.append(f"{here} has the number {moved.number} now: give it {field.number} again")
            elif not _reserved(field.number, new.reserved_range, 0):
                found.append(f'{here} is gone, and its number is free for another one: add "reserved {field.number};" '
                             "with the reason, or keep the field")
            continue
        if now.name != field.name:
            found.append(f"{here} is {now.name} now: call it {field.name} again; if it is another field, it needs a "
                         f'number that was never used, and {field.number} a "reserved"')
        if _type(now) != _type(field):
            found.append(f"{here} was {_type(field)} and is {_type(now)} now: add a new field, and reserve this one")
        elif _has_presence(now) != _has_presence(field):
            found.append(f'{here}: "optional" was {"taken away" if _has_presence(field) else "added"}: leave it as it was')
        if _oneof(old, field) != _oneof(new, now):
            found.append(f'{here} was in oneof "{_oneof(old, field)}" and is in "{_oneof(new, now)}" now: leave it there')
    for entry in old.reserved_range:
        for field in new.field:
            if entry.start <= field.number < entry.end:
                found.append(f"field {name}.{field.name} = {field.number} takes a reserved number: take one that was never "
                             "used")
        if not any(other.start <= entry.start and entry.end <= other.end for other in new.reserved_range) and not any(
                entry.start <= field.number < entry.end for field in new.field):
            found.append(f'message {name} has lost "reserved {_range(entry.start, entry.end - 1)};": add it again')
    return found


def _range(first, last):
    return str(first) if first == last else f"{first} to {last}"


def _of_enum(name, old, new):
    found = []
    by_number = {}
    for value in new.value:
        by_number.setdefault(value.number, []).append(value.name)
    for value in old.value:
        here = f"value {name}.{value.name} = {value.number}"
        names = by_number.get(value.number)
        if names is None:
            found.append(f"{here} is gone: keep it, and say in its comment that it is not used any more")
        elif value.name not in names:
            found.append(f"{here} is {names[0]} now: call it {value.name} again, and give another one a new number")
    for entry in old.reserved_range:
        for value in new.value:
            if entry.start <= value.number <= entry.end:
                found.append(f"value {name}.{value.name} = {value.number} takes a reserved number: take one that was never "
                             "used")
    return found


def _stream(method):
    """Of a method: unary, or who streams."""
    kinds = {(False, False): "unary", (True, False): "a stream of requests", (False, True): "a stream of responses",
             (True, True): "a stream both ways"}
    return kinds[method.client_streaming, method.server_streaming]


def _of_service(name, old, new):
    found = []
    methods = {method.name: method for method in new.method}
    for method in old.method:
        here = f"method {name}.{method.name}"
        now = methods.get(method.name)
        if now is None:
            found.append(f"{here} is gone: keep it, or make the change in a new package (v2)")
            continue
        if _stream(now) != _stream(method):
            found.append(f"{here} was {_stream(method)} and is {_stream(now)} now: add a new method")
        for kind, was, now_is in (("takes", method.input_type, now.input_type),
                                  ("returns", method.output_type, now.output_type)):
            if was != now_is:
                found.append(f"{here} {kind} {now_is.removeprefix('.')} now, not {was.removeprefix('.')}: add a new method")
    return found
