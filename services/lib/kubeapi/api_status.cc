#include "services/lib/kubeapi/api_status.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/lib/kubestatus/status_codes.h"

namespace skerry::kubeapi {

const char kObjectModified[] =
    "the object has been modified; please apply your changes to the latest version and try again";

namespace {

constexpr char kPayload[] = "skerry.io/kubernetes-status";

absl::Status Make(int http_code, absl::string_view reason, absl::string_view message,
                  Json details) {
  absl::Status status(kubestatus::StatusCodeOf(http_code, reason), message);
  Json body = {{"code", http_code}, {"reason", std::string(reason)}};
  if (!details.is_null()) body["details"] = std::move(details);
  status.SetPayload(kPayload, absl::Cord(DumpJson(body)));
  return status;
}

std::string Qualified(const Subject& subject) {
  return subject.group.empty() ? subject.resource
                               : absl::StrCat(subject.resource, ".", subject.group);
}

Json Details(const Subject& subject) {
  Json details = {{"kind", subject.resource}};
  if (!subject.name.empty()) details["name"] = subject.name;
  if (!subject.group.empty()) details["group"] = subject.group;
  return details;
}

Json Payload(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kPayload);
  if (!payload.has_value()) return nullptr;
  absl::StatusOr<Json> parsed = ParseJson(std::string(*payload));
  return parsed.ok() ? *std::move(parsed) : Json(nullptr);
}

std::string Shown(const Json& value) {
  // As Go's %#v of the simple kinds: strings quoted, the rest as JSON.
  return DumpJson(value);
}

}  // namespace

FieldError FieldRequired(absl::string_view field, absl::string_view detail) {
  return {"FieldValueRequired", std::string(field),
          detail.empty() ? "Required value" : absl::StrCat("Required value: ", detail)};
}

FieldError FieldInvalid(absl::string_view field, const Json& value, absl::string_view detail) {
  return {"FieldValueInvalid", std::string(field),
          absl::StrCat("Invalid value: ", Shown(value), ": ", detail)};
}

FieldError FieldNotSupported(absl::string_view field, absl::string_view value,
                             const std::vector<std::string>& supported) {
  const std::string list = absl::StrJoin(
      supported, ", ",
      [](std::string* out, const std::string& s) { absl::StrAppend(out, "\"", s, "\""); });
  return {"FieldValueNotSupported", std::string(field),
          absl::StrCat("Unsupported value: \"", value, "\": supported values: ", list)};
}

FieldError FieldDuplicate(absl::string_view field, const Json& value) {
  return {"FieldValueDuplicate", std::string(field),
          absl::StrCat("Duplicate value: ", Shown(value))};
}

FieldError FieldForbidden(absl::string_view field, absl::string_view detail) {
  return {"FieldValueForbidden", std::string(field), absl::StrCat("Forbidden: ", detail)};
}

FieldError FieldNotFound(absl::string_view field, const Json& value) {
  return {"FieldValueNotFound", std::string(field), absl::StrCat("Not found: ", Shown(value))};
}

FieldError FieldTooLong(absl::string_view field, size_t limit) {
  return {"FieldValueTooLong", std::string(field),
          absl::StrCat("Too long: may not be more than ", limit, " bytes")};
}

FieldError FieldTypeInvalid(absl::string_view field, const Json& value, absl::string_view detail) {
  return {"FieldValueTypeInvalid", std::string(field),
          absl::StrCat("Invalid value: ", Shown(value), ": ", detail)};
}

absl::Status ApiError(int http_code, absl::string_view reason, absl::string_view message) {
  return Make(http_code, reason, message, nullptr);
}

absl::Status BadRequestError(absl::string_view message) {
  return Make(400, "BadRequest", message, nullptr);
}

absl::Status UnauthorizedError() { return Make(401, "Unauthorized", "Unauthorized", nullptr); }

absl::Status ForbiddenError(const Subject& subject, absl::string_view why) {
  const std::string quoted = subject.name.empty() ? "" : absl::StrCat(" \"", subject.name, "\"");
  return Make(403, "Forbidden", absl::StrCat(Qualified(subject), quoted, " is forbidden: ", why),
              Details(subject));
}

absl::Status ForbiddenPathError(absl::string_view user, absl::string_view verb,
                                absl::string_view path) {
  return Make(403, "Forbidden",
              absl::StrCat("forbidden: User \"", user, "\" cannot ", verb, " path \"", path, "\""),
              Json::object());
}

absl::Status NotFoundError(const Subject& subject) {
  return Make(404, "NotFound",
              absl::StrCat(Qualified(subject), " \"", subject.name, "\" not found"),
              Details(subject));
}

absl::Status PathNotFoundError() {
  return Make(404, "NotFound", "the server could not find the requested resource", Json::object());
}

absl::Status AlreadyExistsError(const Subject& subject) {
  return Make(409, "AlreadyExists",
              absl::StrCat(Qualified(subject), " \"", subject.name, "\" already exists"),
              Details(subject));
}

absl::Status ConflictError(const Subject& subject, absl::string_view why) {
  return Make(409, "Conflict",
              absl::StrCat("Operation cannot be fulfilled on ", Qualified(subject), " \"",
                           subject.name, "\": ", why),
              Details(subject));
}

absl::Status InvalidError(const Subject& subject, const std::vector<FieldError>& errors) {
  Json causes = Json::array();
  std::vector<std::string> texts;
  for (const FieldError& error : errors) {
    causes.push_back(
        {{"reason", error.reason}, {"message", error.message}, {"field", error.field}});
    texts.push_back(absl::StrCat(error.field, ": ", error.message));
  }
  const std::string kind =
      subject.group.empty() ? subject.kind : absl::StrCat(subject.kind, ".", subject.group);
  const std::string all =
      texts.size() == 1 ? texts[0] : absl::StrCat("[", absl::StrJoin(texts, ", "), "]");
  Json details = {{"kind", subject.kind}, {"causes", std::move(causes)}};
  if (!subject.name.empty()) details["name"] = subject.name;
  if (!subject.group.empty()) details["group"] = subject.group;
  return Make(422, "Invalid", absl::StrCat(kind, " \"", subject.name, "\" is invalid: ", all),
              std::move(details));
}

absl::Status MethodNotAllowedError(const Subject& subject, absl::string_view verb) {
  return Make(405, "MethodNotAllowed",
              subject.resource.empty()
                  ? "the server does not allow this method on the requested resource"
                  : absl::StrCat(verb, " is not supported on resources of kind \"",
                                 Qualified(subject), "\""),
              Details(subject));
}

absl::Status ExpiredError(absl::string_view message) {
  return Make(410, "Expired", message, nullptr);
}

absl::Status UnsupportedMediaTypeError(absl::string_view got,
                                       const std::vector<std::string>& supported) {
  return Make(415, "UnsupportedMediaType",
              absl::StrCat("the body of the request was in an unknown format (\"", got,
                           "\") - accepted media types include: ", absl::StrJoin(supported, ", ")),
              nullptr);
}

absl::Status NotAcceptableError(const std::vector<std::string>& supported) {
  return Make(
      406, "NotAcceptable",
      absl::StrCat("only the following media types are accepted: ", absl::StrJoin(supported, ", ")),
      nullptr);
}

Json StatusObject(const absl::Status& status) {
  Json payload = Payload(status);
  const kubestatus::HttpAnswer answer = kubestatus::AnswerTo(status.code());
  Json body = {{"kind", "Status"},
               {"apiVersion", "v1"},
               {"metadata", Json::object()},
               {"status", "Failure"},
               {"message", std::string(status.message())},
               {"reason", answer.reason},
               {"code", answer.code}};
  if (payload.is_object()) body.update(payload);
  return body;
}

int HttpCode(const absl::Status& status) {
  const Json payload = Payload(status);
  return static_cast<int>(IntAt(payload, {"code"}, kubestatus::AnswerTo(status.code()).code));
}

std::string StatusReason(const absl::Status& status) {
  const std::string reason = StringAt(Payload(status), {"reason"});
  return reason.empty() ? kubestatus::AnswerTo(status.code()).reason : reason;
}

}  // namespace skerry::kubeapi
