#include "services/lib/config/config.h"
