# FindXtensorBlas: the headers of xtensor-blas, and a BLAS that has the C interface.
#
#   XtensorBlas::XtensorBlas   target: headers and libraries
#   XtensorBlas_LIBRARIES      the libraries, for the pkg-config file
#
# digitnet includes <xtensor-blas/xblas.hpp> only. xtensor-blas's own package config is not used because it
# demands LAPACK, which xblas.hpp never calls and a machine with BLIS alone does not have. Any BLAS that
# FindBLAS knows will do; BLA_VENDOR chooses one (OpenBLAS, FLAME for BLIS, ...).
# Installed beside digitnetConfig.cmake, which uses it too.
include(CheckCXXSourceCompiles)
include(FindPackageHandleStandardArgs)

find_path(XtensorBlas_INCLUDE_DIR xtensor-blas/xblas.hpp)
mark_as_advanced(XtensorBlas_INCLUDE_DIR)
find_package(BLAS QUIET)

# Some distributions keep the C interface in a library of its own, libcblas.
if(BLAS_FOUND)
  set(CMAKE_REQUIRED_QUIET ON)
  set(CMAKE_REQUIRED_LIBRARIES BLAS::BLAS)
  string(MAKE_C_IDENTIFIER "digitnet_cblas_in_${BLAS_LIBRARIES}" digitnet_cblas_check)
  set(digitnet_cblas_source "extern \"C\" void cblas_sgemm(); int main() { cblas_sgemm(); }")
  check_cxx_source_compiles("${digitnet_cblas_source}" ${digitnet_cblas_check})
  set(XtensorBlas_LIBRARIES ${BLAS_LIBRARIES})
  if(NOT ${digitnet_cblas_check})
    find_library(XtensorBlas_CBLAS_LIBRARY cblas)
    mark_as_advanced(XtensorBlas_CBLAS_LIBRARY)
    set(XtensorBlas_LIBRARIES ${XtensorBlas_CBLAS_LIBRARY} ${BLAS_LIBRARIES})
  endif()
  unset(CMAKE_REQUIRED_QUIET)
  unset(CMAKE_REQUIRED_LIBRARIES)
endif()

find_package_handle_standard_args(XtensorBlas
  REQUIRED_VARS XtensorBlas_LIBRARIES XtensorBlas_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "digitnet needs the headers of xtensor-blas and a BLAS library with the C interface (cblas_sgemm), such as OpenBLAS or BLIS")

if(XtensorBlas_FOUND AND NOT TARGET XtensorBlas::XtensorBlas)
  add_library(XtensorBlas::XtensorBlas INTERFACE IMPORTED)
  set_target_properties(XtensorBlas::XtensorBlas PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${XtensorBlas_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES "$<$<BOOL:${XtensorBlas_CBLAS_LIBRARY}>:${XtensorBlas_CBLAS_LIBRARY}>;BLAS::BLAS")
endif()
