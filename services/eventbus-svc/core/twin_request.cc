#include "services/eventbus-svc/core/twin_request.h"

#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/eventbus-svc/core/json_visit.h"
#include "services/eventbus-svc/core/property_rules.h"
#include "services/eventbus-svc/core/reasons.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::eventbus {
namespace {

// What all requests have in common: an object with an event id, and members of known kinds.
class RequestReader {
 public:
  // `unreadable`: the reason that answers say for what is not the request's JSON.
  explicit RequestReader(absl::string_view unreadable) : unreadable_(unreadable) {}

  // Shows `visit` all but the document itself and its event id.
  absl::Status Read(absl::string_view payload, JsonVisitor visit) {
    // Of too large a payload too, as much is read as is allowed: for the event id.
    const absl::Status json = VisitJson(
        payload.substr(0, kPayloadBytesMax), kPayloadDepthMax,
        [&](const JsonPath& path, const JsonValue& value) {
          if (path.empty()) {
            Is(JsonKind::kObject, "an object", path, value);
          } else if (path.size() == 1 && path[0] == "event_id") {
            event_id_ = Is(JsonKind::kString, "a string", path, value) ? std::string(value.text)
                                                                       : std::string();
          } else {
            visit(path, value);
          }
        });
    if (payload.size() > kPayloadBytesMax) {
      return Error(absl::StatusCode::kInvalidArgument,
                   absl::StrCat("the payload has ", payload.size(), " bytes: send at most ",
                                kPayloadBytesMax, " in one request"))
          .Reason("PAYLOAD_TOO_LARGE");
    }
    if (GetErrorInfo(json).reason == "JSON_INVALID") return Unreadable(json.message());
    SKERRY_RETURN_IF_ERROR(json);
    return fault_.empty() ? absl::OkStatus() : Unreadable(fault_);
  }

  // True: `value` is of `kind`. Null is as good as absent; anything else is a fault.
  bool Is(JsonKind kind, absl::string_view expected, const JsonPath& path, const JsonValue& value) {
    if (value.kind == kind) return true;
    if (value.kind != JsonKind::kNull && fault_.empty()) {
      fault_ = absl::StrCat(path.empty() ? "the payload" : Shown(absl::StrJoin(path, ".")),
                            " must be ", expected);
    }
    return false;
  }

  std::string TakeEventId() { return std::move(event_id_); }

 private:
  absl::Status Unreadable(absl::string_view detail) const {
    return Error(absl::StatusCode::kInvalidArgument, unreadable_)
        .Reason("REQUEST_UNREADABLE")
        .Meta("detail", detail);
  }

  const absl::string_view unreadable_;
  std::string event_id_;
  std::string fault_;  // The first.
};

class TwinUpdateReader {
 public:
  absl::StatusOr<TwinUpdateRequest> Read(absl::string_view payload) {
    SKERRY_RETURN_IF_ERROR(reader_.Read(
        payload, [this](const JsonPath& path, const JsonValue& value) { Visit(path, value); }));
    if (too_many_) {
      return Error(absl::StatusCode::kInvalidArgument,
                   absl::StrCat("the request has more than ", kPropertiesMax,
                                " twin properties: send them in several requests"))
          .Reason("TOO_MANY_PROPERTIES");
    }
    if (!twin_.has_value()) {
      return Error(absl::StatusCode::kInvalidArgument, kReasonTwinMissing).Reason("TWIN_MISSING");
    }
    SKERRY_RETURN_IF_ERROR(Check());
    return *std::move(twin_);
  }
  std::string TakeEventId() { return reader_.TakeEventId(); }

 private:
  // A container comes before what is in it, so `property_` is the one that deeper paths speak of.
  void Visit(const JsonPath& path, const JsonValue& value) {
    if (path[0] != "twin") return;
    if (path.size() == 1) return VisitTwin(path, value);
    if (path.size() == 2) return VisitProperty(path, value);
    if (property_ == nullptr) return;
    if (path[2] == "optional" && path.size() == 3) {
      property_->optional.reset();
      if (reader_.Is(JsonKind::kBool, "true or false", path, value))
        property_->optional = value.boolean;
    } else if (path[2] == "expected") {
      VisitSide(property_->expected, path, value);
    } else if (path[2] == "actual") {
      VisitSide(property_->actual, path, value);
    } else if (path[2] == "metadata") {
      VisitMetadata(path, value);
    }
  }
  void VisitTwin(const JsonPath& path, const JsonValue& value) {
    twin_.reset();
    property_ = nullptr;
    too_many_ = false;
    if (reader_.Is(JsonKind::kObject, "an object", path, value)) twin_.emplace();
  }
  void VisitProperty(const JsonPath& path, const JsonValue& value) {
    property_ = nullptr;
    const bool is_object = reader_.Is(JsonKind::kObject, "an object or null", path, value);
    if (!twin_.has_value()) return;
    auto& properties = twin_->properties;
    if (properties.size() >= kPropertiesMax && !properties.contains(path[1])) {
      too_many_ = true;
      return;
    }
    std::optional<PropertyUpdate>& property = properties[path[1]];
    property.reset();
    if (is_object) property_ = &property.emplace();
  }
  void VisitSide(std::optional<std::string>& side, const JsonPath& path, const JsonValue& value) {
    if (path.size() == 3) {
      side.reset();
      reader_.Is(JsonKind::kObject, "an object", path, value);
    } else if (path.size() == 4 && path[3] == "value") {
      side.reset();
      if (reader_.Is(JsonKind::kString, "a string", path, value)) side.emplace(value.text);
    }
  }
  void VisitMetadata(const JsonPath& path, const JsonValue& value) {
    if (path.size() == 3) {
      property_->type.clear();
      reader_.Is(JsonKind::kObject, "an object", path, value);
    } else if (path.size() == 4 && path[3] == "type") {
      property_->type.clear();
      if (reader_.Is(JsonKind::kString, "a string", path, value))
        property_->type = std::string(value.text);
    }
  }

  absl::Status Check() const {
    for (const auto& [name, property] : twin_->properties)
      SKERRY_RETURN_IF_ERROR(CheckPropertyName(name));
    for (const auto& [name, property] : twin_->properties) {
      if (!property.has_value()) continue;
      if (property->expected.has_value())
        SKERRY_RETURN_IF_ERROR(CheckPropertyValue(name, "expected", *property->expected));
      if (property->actual.has_value())
        SKERRY_RETURN_IF_ERROR(CheckPropertyValue(name, "actual", *property->actual));
    }
    return absl::OkStatus();
  }

  RequestReader reader_{kReasonUpdateUnreadable};
  std::optional<TwinUpdateRequest> twin_;
  PropertyUpdate* property_ = nullptr;  // In twin_.
  bool too_many_ = false;
};

// A request that is nothing but its event id.
template <typename Request>
Parsed<Request> ParseBare(absl::string_view payload, absl::string_view unreadable) {
  RequestReader reader(unreadable);
  const absl::Status status = reader.Read(payload, [](const JsonPath&, const JsonValue&) {});
  if (!status.ok()) return {reader.TakeEventId(), status};
  return {reader.TakeEventId(), Request{}};
}

absl::StatusOr<StateUpdateRequest> CheckState(std::string state) {
  const std::string lower = absl::AsciiStrToLower(state);
  const bool connected = lower == "online" || lower == "ok";
  if (connected || lower == "offline" || lower == "unknown" || lower == "unhealthy")
    return StateUpdateRequest{.state = std::move(state), .connected = connected};
  const std::string shown = Shown(state);
  return Error(absl::StatusCode::kInvalidArgument,
               absl::StrCat("device state \"", shown,
                            "\" is unknown: use online, offline, ok, unknown or unhealthy"))
      .Reason("STATE_INVALID")
      .Meta("state", shown);
}

}  // namespace

Parsed<TwinUpdateRequest> ParseTwinUpdate(absl::string_view payload) {
  TwinUpdateReader reader;
  absl::StatusOr<TwinUpdateRequest> request = reader.Read(payload);
  return {reader.TakeEventId(), std::move(request)};
}

Parsed<TwinGetRequest> ParseTwinGet(absl::string_view payload) {
  return ParseBare<TwinGetRequest>(
      payload, "Unmarshal twin get request body failed, please check the request");
}

Parsed<StateUpdateRequest> ParseStateUpdate(absl::string_view payload) {
  RequestReader reader("Unmarshal state update request body failed, please check the request");
  std::string state;
  const absl::Status status =
      reader.Read(payload, [&](const JsonPath& path, const JsonValue& value) {
        if (path.size() != 1 || path[0] != "state") return;
        state.clear();
        if (reader.Is(JsonKind::kString, "a string", path, value)) state = std::string(value.text);
      });
  if (!status.ok()) return {reader.TakeEventId(), status};
  return {reader.TakeEventId(), CheckState(std::move(state))};
}

Parsed<MembershipGetRequest> ParseMembershipGet(absl::string_view payload) {
  return ParseBare<MembershipGetRequest>(
      payload, "Unmarshal membership get request body failed, please check the request");
}

}  // namespace skerry::eventbus
