// SKERRY_CHECK: aborts on a broken invariant, in production too. Nothing that a peer, a file or an
// operator can cause may reach it.
#ifndef SKERRY_SERVICES_LIB_BASE_CHECK_H_
#define SKERRY_SERVICES_LIB_BASE_CHECK_H_

#include <cstdio>
#include <cstdlib>

#define SKERRY_CHECK(condition)                                                              \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      std::fprintf(stderr, "%s:%d: broken invariant: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                          \
    }                                                                                        \
  } while (false)

#endif  // SKERRY_SERVICES_LIB_BASE_CHECK_H_
