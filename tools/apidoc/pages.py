"""A page of docs/reference from the descriptors of a package: what its protos say, in the order in which they say it."""

import re

from google.protobuf import descriptor_pb2

_FIELD = descriptor_pb2.FieldDescriptorProto
_FILE_SYNTAX, _FILE_MESSAGE, _FILE_ENUM, _FILE_SERVICE = 12, 4, 5, 6  # Numbers in FileDescriptorProto,
_MESSAGE_FIELD, _MESSAGE_NESTED, _MESSAGE_ENUM = 2, 3, 4              # in DescriptorProto,
_ENUM_VALUE, _SERVICE_METHOD = 2, 2                                   # and in those of enums and services.
_GOOGLE = "https://protobuf.dev/reference/protobuf/google.protobuf/#"


def render(package, files, linked=()):
    """The page; types of the packages in `linked` are links to theirs."""
    page = _Page(package, files, linked)
    return "\n".join(page.lines()) + "\n"


def summary(files):
    """The first sentence of a package, from the file with its first service, or its first file."""
    file = next((file for file in files if file.service), files[0])
    text = " ".join(_Comments(file).of((_FILE_SYNTAX,)).split())
    return _cell(re.split(r"(?<=\.)\s", text)[0])


def anchor(title):
    """As GitHub makes it from a heading."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def _escape(text):
    """Text of a comment as Markdown, which takes `code` as it is."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if index % 2 else re.sub(r"([\\*<>\[\]|])", r"\\\1", part) for index, part in enumerate(parts))


def _cell(text):
    """The same within a line of a table."""
    parts = re.split(r"(`[^`]*`)", " ".join(text.split()))
    return "".join(part.replace("|", r"\|") if index % 2 else _escape(part) for index, part in enumerate(parts))


class _Comments:
    """Comments of a file by the path of what they are about."""

    def __init__(self, file):
        self._found = {tuple(location.path): location for location in file.source_code_info.location}

    def of(self, path):
        """Above it and behind it; "" where there is none."""
        location = self._found.get(tuple(path))
        if location is None:
            return ""
        texts = [re.sub(r"^ ", "", text, flags=re.MULTILINE).strip()
                 for text in (location.leading_comments, location.trailing_comments)]
        return "\n".join(text for text in texts if text)


class _Page:
    def __init__(self, package, files, linked):
        self._package, self._files, self._linked = package, files, set(linked)

    def lines(self):
        """All of it."""
        yield f"<!-- Written by tools/apidoc/generate.py from {self._files[0].name.rpartition('/')[0]}: change the protos. -->"
        yield ""
        yield f"# {self._package}"
        for file in self._files:
            text = _Comments(file).of((_FILE_SYNTAX,))
            yield ""
            yield f"[`{file.name.rpartition('/')[2]}`](../../{file.name})" + (":" if text else "")
            yield from self._paragraphs(text)
        yield from self._contents()
        for file in self._files:
            comments = _Comments(file)
            for index, service in enumerate(file.service):
                yield from self._service(service, (_FILE_SERVICE, index), comments)
        for file in self._files:
            comments = _Comments(file)
            for index, message in enumerate(file.message_type):
                yield from self._message(message.name, message, (_FILE_MESSAGE, index), comments)
            for index, enum in enumerate(file.enum_type):
                yield from self._enum(enum.name, enum, (_FILE_ENUM, index), comments)

    @staticmethod
    def _paragraphs(text):
        for paragraph in filter(None, re.split(r"\n\s*\n", text)):
            yield ""
            yield _escape(paragraph)

    def _contents(self):
        services = [service for file in self._files for service in file.service]
        if not services:
            return
        yield ""
        yield "| method | takes | returns |"
        yield "|---|---|---|"
        for service in services:
            for method in service.method:
                title = f"{service.name}.{method.name}"
                yield (f"| [{title}](#{anchor(title)}) | {self._side(method.client_streaming, method.input_type)} "
                       f"| {self._side(method.server_streaming, method.output_type)} |")

    def _side(self, streaming, kind):
        return ("stream of " if streaming else "") + self._link(kind)

    def _link(self, kind):
        """A type as a link to where it is described."""
        name = kind.removeprefix(".")
        if name.startswith(self._package + "."):
            short = name.removeprefix(self._package + ".")
            return f"[{short}](#{anchor(short)})"
        if name.startswith("google.protobuf."):
            short = name.rpartition(".")[2]
            return f"[{name}]({_GOOGLE}{anchor(short)})"
        for package in sorted(self._linked, key=len, reverse=True):
            if name.startswith(package + "."):
                return f"[{name}]({package}.md#{anchor(name.removeprefix(package + '.'))})"
        return f"`{name}`"

    def _service(self, service, path, comments):
        yield ""
        yield f"## {service.name}"
        yield from self._paragraphs(comments.of(path))
        for index, method in enumerate(service.method):
            yield ""
            yield f"### {service.name}.{method.name}"
            yield ""
            yield (f"`/{self._package}.{service.name}/{method.name}` takes {self._side(method.client_streaming, method.input_type)}, "
                   f"returns {self._side(method.server_streaming, method.output_type)}.")
            yield from self._paragraphs(comments.of((*path, _SERVICE_METHOD, index)))

    def _message(self, title, message, path, comments):
        yield ""
        yield f"## {title}"
        yield from self._paragraphs(comments.of(path))
        entries = {nested.name: nested for nested in message.nested_type if nested.options.map_entry}
        yield ""
        if message.field:
            yield "| field | no. | type | |"
            yield "|---|---|---|---|"
        else:
            yield "No fields."
        for index, field in enumerate(message.field):
            text = comments.of((*path, _MESSAGE_FIELD, index))
            if field.HasField("oneof_index") and not field.proto3_optional:
                text = f"One of `{message.oneof_decl[field.oneof_index].name}`. {text}"
            yield f"| `{field.name}` | {field.number} | {self._type(field, entries)} | {_cell(text)} |"
        for index, nested in enumerate(message.nested_type):
            if nested.name not in entries:
                yield from self._message(f"{title}.{nested.name}", nested, (*path, _MESSAGE_NESTED, index), comments)
        for index, enum in enumerate(message.enum_type):
            yield from self._enum(f"{title}.{enum.name}", enum, (*path, _MESSAGE_ENUM, index), comments)

    def _type(self, field, entries):
        entry = entries.get(field.type_name.rpartition(".")[2]) if field.type == _FIELD.TYPE_MESSAGE else None
        if entry is not None:
            key, value = (self._plain(part) for part in entry.field)
            return f"map of {key} to {value}"
        label = "repeated " if field.label == _FIELD.LABEL_REPEATED else "optional " if field.proto3_optional else ""
        return label + self._plain(field)

    def _plain(self, field):
        return self._link(field.type_name) if field.type_name else _FIELD.Type.Name(field.type).removeprefix("TYPE_").lower()

    def _enum(self, title, enum, path, comments):
        yield ""
        yield f"## {title}"
        yield from self._paragraphs(comments.of(path))
        yield ""
        yield "| value | no. | |"
        yield "|---|---|---|"
        for index, value in enumerate(enum.value):
            yield f"| `{value.name}` | {value.number} | {_cell(comments.of((*path, _ENUM_VALUE, index)))} |"
