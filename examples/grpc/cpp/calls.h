// What one does with devices: each function is one or two calls of device-controller-svc, prints
// what it got, and returns how the call ended. Blocking; each call has a deadline.
#ifndef SKERRY_EXAMPLES_GRPC_CPP_CALLS_H_
#define SKERRY_EXAMPLES_GRPC_CPP_CALLS_H_

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace skerry::examples {

using Channel = std::shared_ptr<grpc::Channel>;

// Is the service there, and does it take calls?
grpc::Status Health(const Channel& channel);

// All devices of `parent` ("namespaces/default", or "namespaces/-"), page by page.
grpc::Status List(const Channel& channel, const std::string& parent);

// The devices of `parent` and their changes, for as long as `patience`: OK then, as nothing has
// failed.
grpc::Status Watch(const Channel& channel, const std::string& parent,
                   std::chrono::seconds patience);

// The twin of `device` ("namespaces/default/devices/room-3"): its etag, and what each property
// should be at and is.
grpc::Status Get(const Channel& channel, const std::string& device);

// Writes a desired value, if none has changed since `etag`; empty: since now.
grpc::Status Set(const Channel& channel, const std::string& device, const std::string& property,
                 const std::string& value, std::string etag);

// Calls a method with arguments, each of which has a "=" behind its name, and prints how it ended.
grpc::Status Call(const Channel& channel, const std::string& device, const std::string& method,
                  const std::vector<std::string>& arguments);

// Code, reason and metadata of a call that failed: decide by the first two, show the message to
// people.
void PrintError(const grpc::Status& status);

}  // namespace skerry::examples

#endif  // SKERRY_EXAMPLES_GRPC_CPP_CALLS_H_
