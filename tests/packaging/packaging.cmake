# Outside projects: everything the README promises to those who use digitnet from their own build.
# They work below <build>/packaging and install digitnet nowhere else.
set(packaging_source ${CMAKE_CURRENT_LIST_DIR})
set(packaging_build ${PROJECT_BINARY_DIR}/packaging)
set(prefix ${packaging_build}/prefix)

# A project of somebody else: configured, built and run by CTest itself, incrementally.
function(add_outside_project name source)
  add_test(NAME packaging.${name} COMMAND ${CMAKE_CTEST_COMMAND}
    --build-and-test ${packaging_source}/${source} ${packaging_build}/${name}
    --build-generator ${CMAKE_GENERATOR} --build-noclean
    --build-options -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER} ${ARGN}
    --test-command ${packaging_build}/${name}/app)
endfunction()

if(DIGITNET_INSTALL)
  add_test(NAME packaging.install
    COMMAND ${CMAKE_COMMAND} --install ${PROJECT_BINARY_DIR} --prefix ${prefix})
  set_tests_properties(packaging.install PROPERTIES FIXTURES_SETUP installed)

  add_outside_project(find_package find_package -DCMAKE_PREFIX_PATH=${prefix})
  find_library(blis_library blis NO_CACHE)
  if(blis_library)
    add_outside_project(find_package_blis find_package -DCMAKE_PREFIX_PATH=${prefix} -DBLA_VENDOR=FLAME)
  else()
    add_test(NAME packaging.find_package_blis
      COMMAND ${CMAKE_COMMAND} -E echo "skipped: packaging.find_package_blis: BLIS is not installed (libblis-dev)")
    set_tests_properties(packaging.find_package_blis PROPERTIES SKIP_REGULAR_EXPRESSION "^skipped:")
  endif()
  add_test(NAME packaging.pkg_config
    COMMAND ${packaging_source}/pkg_config.sh ${prefix} ${packaging_build}/pkg_config ${CMAKE_CXX_COMPILER})
  add_test(NAME packaging.exported_flags
    COMMAND ${packaging_source}/exported_flags.sh ${prefix} ${PROJECT_SOURCE_DIR})
  set_tests_properties(
    packaging.find_package packaging.find_package_blis packaging.pkg_config packaging.exported_flags
    PROPERTIES FIXTURES_REQUIRED installed SKIP_RETURN_CODE 77)
endif()

add_outside_project(add_subdirectory add_subdirectory
  -DDIGITNET_SOURCE_DIR=${PROJECT_SOURCE_DIR} -DBUILD_SHARED_LIBS=ON
  -DCMAKE_BUILD_TYPE=Release)  # as build/release, so that a compiler cache has it already

# What the smallest program costs to compile, against the includes of xtensor and xtensor-blas alone.
find_program(python3_program python3 REQUIRED)
add_test(NAME packaging.compile_cost
  COMMAND ${python3_program} ${packaging_source}/compile_cost.py ${CMAKE_CXX_COMPILER} ${PROJECT_SOURCE_DIR}
          ${packaging_build}/compile_cost)
set_tests_properties(packaging.compile_cost PROPERTIES RUN_SERIAL ON)  # it measures time

# `pip install` of a wheel into a fresh environment.
add_test(NAME packaging.wheel
  COMMAND ${packaging_source}/wheel.sh ${PROJECT_SOURCE_DIR} ${packaging_build}/wheel)
set_tests_properties(packaging.wheel PROPERTIES SKIP_RETURN_CODE 77)

add_test(NAME packaging.dev_help COMMAND ${packaging_source}/dev_help.sh ${PROJECT_SOURCE_DIR})
