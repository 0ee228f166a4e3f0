// What every MessageStore does.
#ifndef SKERRY_SERVICES_ROUTER_SVC_STORE_MESSAGE_STORE_CONTRACT_H_
#define SKERRY_SERVICES_ROUTER_SVC_STORE_MESSAGE_STORE_CONTRACT_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "services/router-svc/store/table_message_store.h"

namespace skerry::router {

// Opens the store of one test, again and again.
using OpenStore =
    std::function<std::unique_ptr<MessageStore>(const TableMessageStore::Bounds& bounds)>;
// Makes an empty one.
using MakeStore = std::function<OpenStore()>;

class MessageStoreContract : public ::testing::TestWithParam<MakeStore> {};

}  // namespace skerry::router

#endif  // SKERRY_SERVICES_ROUTER_SVC_STORE_MESSAGE_STORE_CONTRACT_H_
