# DIGITNET_FETCH_DEPS: downloads what is not installed, each archive pinned by its SHA-256.
# BLAS and zlib are not among them: every system has those, built for its own processor.
include(FetchContent)

# xtl and xtensor: installed ones win, else they are added as subprojects.
FetchContent_Declare(xtl
  URL https://github.com/xtensor-stack/xtl/archive/refs/tags/0.7.4.tar.gz
  URL_HASH SHA256=3c88be0e696b64150c4de7a70f9f09c00a335186b0b0b409771ef9f56bca7d9a
  SYSTEM FIND_PACKAGE_ARGS CONFIG)
FetchContent_Declare(xtensor
  URL https://github.com/xtensor-stack/xtensor/archive/refs/tags/0.24.3.tar.gz
  URL_HASH SHA256=3acde856b9fb8cf4e2a7b66726da541275d40ab9b002e618ad985ab97f08ca4f
  SYSTEM FIND_PACKAGE_ARGS CONFIG)
FetchContent_MakeAvailable(xtl xtensor)

# xtensor-blas and stb: headers alone are wanted, so their CMake files are not run (SOURCE_SUBDIR names none).
find_path(XtensorBlas_INCLUDE_DIR xtensor-blas/xblas.hpp)
if(NOT XtensorBlas_INCLUDE_DIR)
  FetchContent_Declare(xtensor-blas
    URL https://github.com/xtensor-stack/xtensor-blas/archive/refs/tags/0.20.0.tar.gz
    URL_HASH SHA256=272f5d99bb7511a616bfe41b13a000e63de46420f0b32a25fa4fb935b462c7ff
    SOURCE_SUBDIR headers-only)
  FetchContent_MakeAvailable(xtensor-blas)
  set(XtensorBlas_INCLUDE_DIR ${xtensor-blas_SOURCE_DIR}/include)
  if(DIGITNET_INSTALL)
    include(GNUInstallDirs)
    install(DIRECTORY ${XtensorBlas_INCLUDE_DIR}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  endif()
endif()
find_path(STB_INCLUDE_DIR stb_image.h PATH_SUFFIXES stb)
if(NOT STB_INCLUDE_DIR)
  FetchContent_Declare(stb
    URL https://github.com/nothings/stb/archive/f58f558c120e9b32c217290b80bad1a0729fbb2c.zip
    URL_HASH SHA256=119b9f3cca3e50225dc946ed1acd1b7a160943bc8bf549760109cea4e4e7c836
    SOURCE_SUBDIR headers-only)
  FetchContent_MakeAvailable(stb)
  set(STB_INCLUDE_DIR ${stb_SOURCE_DIR})
endif()

FetchContent_Declare(nlohmann_json
  URL https://github.com/nlohmann/json/releases/download/v3.11.2/json.tar.xz
  URL_HASH SHA256=8c4b26bf4b422252e13f332bc5e388ec0ab5c3443d24399acb675e68278d341f
  SYSTEM FIND_PACKAGE_ARGS CONFIG)
FetchContent_MakeAvailable(nlohmann_json)

if(DIGITNET_BUILD_EXAMPLES)
  set(CLI11_BUILD_TESTS OFF)
  set(CLI11_BUILD_EXAMPLES OFF)
  FetchContent_Declare(CLI11
    URL https://github.com/CLIUtils/CLI11/archive/refs/tags/v2.3.2.tar.gz
    URL_HASH SHA256=aac0ab42108131ac5d3344a9db0fdf25c4db652296641955720a4fbe52334e22
    SYSTEM FIND_PACKAGE_ARGS CONFIG)
  FetchContent_MakeAvailable(CLI11)
endif()
if(DIGITNET_BUILD_TESTS)
  FetchContent_Declare(Catch2
    URL https://github.com/catchorg/Catch2/archive/refs/tags/v3.4.0.tar.gz
    URL_HASH SHA256=122928b814b75717316c71af69bd2b43387643ba076a6ec16e7882bfb2dfacbb
    SYSTEM FIND_PACKAGE_ARGS CONFIG)
  FetchContent_MakeAvailable(Catch2)
endif()
