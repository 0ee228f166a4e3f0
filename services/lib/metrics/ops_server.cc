#include "services/lib/metrics/ops_server.h"
