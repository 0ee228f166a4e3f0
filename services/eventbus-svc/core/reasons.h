// KubeEdge's words and numbers for a request that failed. Clients may compare them.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_CORE_REASONS_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_CORE_REASONS_H_

namespace skerry::eventbus {

inline constexpr int kCodeBadRequest = 400;
inline constexpr int kCodeNotFound = 404;
inline constexpr int kCodeConflict = 409;  // KubeEdge has it, and never sends it.
inline constexpr int kCodeInternalError = 500;

inline constexpr char kReasonUpdateUnreadable[] =
    "Unmarshal update request body failed, please check the request";
inline constexpr char kReasonTwinMissing[] = "Update twin error, key:twin does not exist";
inline constexpr char kReasonUpdateOfUnknownDevice[] =
    "update rejected due to the device is not existed";
// The type check, which needs the stored type and so is made where the twins are.
inline constexpr char kReasonNotInteger[] = "the value is not int or integer";
inline constexpr char kReasonNotFloat[] = "the value is not float";
inline constexpr char kReasonNotBoolean[] = "the bool value must be true or false";
inline constexpr char kReasonTypeNotAllowed[] = "the value type is not allowed";

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_CORE_REASONS_H_
