// version.hpp: the version of digitnet; CMake, Python and the model files read it from here.
#pragma once

#define DIGITNET_VERSION_MAJOR 0
#define DIGITNET_VERSION_MINOR 1
#define DIGITNET_VERSION_PATCH 0
#define DIGITNET_VERSION "0.1.0"
