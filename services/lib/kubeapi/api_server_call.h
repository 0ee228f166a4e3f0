// One request on its way through ApiServer; internal to it.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_API_SERVER_CALL_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_API_SERVER_CALL_H_

#include <memory>
#include <string>
#include <vector>

#include "services/lib/http/server.h"
#include "services/lib/kubeapi/access.h"
#include "services/lib/kubeapi/api_server.h"
#include "services/lib/kubeapi/request_info.h"
#include "services/lib/kubeapi/resource.h"

namespace skerry::kubeapi {

struct ApiServer::Call {
  const Caller& caller;
  http::Request request;
  std::shared_ptr<http::Responder> responder;
  RequestInfo info;
  ResourcePtr resource;
  std::vector<std::string> warnings;
  int code = 0;            // Of the answer.
  bool streaming = false;  // The answer went out as a stream.
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_API_SERVER_CALL_H_
