// The PostgreSQL server of a test: one for all tests of the process, a database for each.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_POSTGRES_TEST_SERVER_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_POSTGRES_TEST_SERVER_H_

#include <string>

#include "services/lib/postgres/pool.h"
#include "services/lib/postgres/testing/local_postgres.h"

namespace skerry::devicecontroller {

// Started before the first test that links this. Null where it did not start.
testing::LocalPostgres* TestServer();

// The connection string of a new, empty database.
std::string NewDatabase();

// Runs SQL behind the store's back; a failure fails the test.
void RunSql(postgres::Pool& pool, const std::string& sql);
// Until another session waits for a lock.
void AwaitLockWaiter(postgres::Pool& pool);

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_POSTGRES_TEST_SERVER_H_
