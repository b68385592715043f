# Each example program runs on the small sample of MNIST, one after the other: the first makes the model that
# the others read. Exit codes and what is printed are checked.
set(sample ${test_data}/mnist-sample)
file(GLOB example_programs CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/cpp/*.cpp)
set(example_model ${PROJECT_BINARY_DIR}/examples/sample.safetensors)

function(add_example_test name exit_code expected program)
  add_test(NAME examples.${name} COMMAND ${CMAKE_CURRENT_LIST_DIR}/support/expect.sh ${exit_code} "${expected}"
    $<TARGET_FILE:${program}> ${ARGN})
endfunction()

add_example_test(train_mnist 0 "training samples: 6000\\ntraining time: [0-9.]+ s\\ntest accuracy: 0.9[0-9]+\\nmodel: "
  train_mnist ${sample} ${example_model} --epochs 10)
set_tests_properties(examples.train_mnist PROPERTIES FIXTURES_SETUP example_model)

add_example_test(evaluate_model 0 "test samples: 1000\\ntest loss: 0.[0-9]+\\ntest accuracy: 0.9"
  evaluate_model ${example_model} ${sample})
add_example_test(recognize_digit 0 "7-black-on-white-corner.png: 7"
  recognize_digit --model ${example_model} ${test_data}/images/7-black-on-white-corner.png)
add_example_test(recognize_digit_strokes 0 "digits.jsonl: 3"
  recognize_digit --model ${example_model} ${test_data}/strokes/digits.jsonl --index 3)
add_example_test(recognize_digit_idx 0 "t10k-images-idx3-ubyte.gz: 1"
  recognize_digit --model ${example_model} ${sample}/t10k-images-idx3-ubyte.gz --index 0 --show)
add_example_test(embed_in_app 0 "^3\\n$" embed_in_app ${example_model} ${test_data}/images/3-thick-white-on-black.png)
add_example_test(show_idx 0 "shape .1000, 28, 28.\\nimage 0:" show_idx ${sample}/t10k-images-idx3-ubyte.gz)
foreach(name evaluate_model recognize_digit recognize_digit_strokes recognize_digit_idx embed_in_app)
  set_tests_properties(examples.${name} PROPERTIES FIXTURES_REQUIRED example_model)
endforeach()

add_example_test(quick_start 0 "test accuracy: 0.[89]" quick_start)
set_tests_properties(examples.quick_start PROPERTIES
  ENVIRONMENT DIGITNET_DATA_DIR=${sample} WORKING_DIRECTORY ${PROJECT_BINARY_DIR}/examples)

# What a user gets wrong is said in one line, and the exit code tells; more of it in python/test_examples.py.
add_example_test(wrong_call 2 "file is required" recognize_digit)
add_example_test(bad_value 2 "--epochs: .0., expected a whole number from 1 on" train_mnist --epochs 0)
add_example_test(missing_data 3 "load_mnist: no mnist found in /nowhere" train_mnist /nowhere)
add_example_test(bad_model 3 "load_network: .*CMakeLists.txt: not a safetensors file: .*; it looks like a text"
  evaluate_model ${PROJECT_SOURCE_DIR}/CMakeLists.txt ${sample})
add_example_test(bad_output 1 "output /nowhere/model: there is no folder /nowhere"
  train_mnist ${sample} /nowhere/model)
add_example_test(diverged 1 "diverged in epoch 1: .*; try --learning-rate below"
  train_mnist ${sample} ${PROJECT_BINARY_DIR}/examples/diverged.safetensors --learning-rate 1e38)
foreach(source IN LISTS example_programs)
  cmake_path(GET source STEM name)
  add_example_test(help_${name} 0 "[Uu]sage: .*${name}" ${name} --help)
endforeach()
